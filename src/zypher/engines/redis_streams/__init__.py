"""The Redis Streams engine: everything that must last is in Redis, each transition is one script.

    engine.py           the contract, shared out among the parts below

In this process:

    awaited_ends.py     who waits for the end of which prediction
    awaited_events.py   who waits for its events
    receiver.py         receives deliveries, and returns those that did not arrive
    held_deliveries.py  what was received and has not ended, and what of it is to be stopped
    ready_lanes.py      which lanes may be non-empty
    known_models.py     the models under the prefix; finder.py finds a prediction among them
    notifications.py    wakes waiters by what Redis publishes
    sweeper.py          ends leases, delays and what is past its deadline, and wakes all waiters
    server_check.py     warns of how Redis is set, by server_info.py, and of what it lost

In Redis:

    keys.py             the names of all keys and channels; format.py is the hash of the prefix itself
    records.py          values to bytes and back
    scripts.py          reads lua/, one named script per file
    transitions         each script as a method
    limits.py           spans and bounds
    connection          from a URL to an answer
"""
