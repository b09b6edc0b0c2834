"""The Redis Streams engine: everything that must last is in Redis, each transition is one script.

    engine.py         the contract, shared out among the parts below

In this process:

    awaited_ends.py   who waits for the end of which prediction
    receiver.py       receives deliveries, and returns those that did not arrive
    ready_models.py   which queues may be non-empty
    known_models.py   the models under the prefix
    notifications.py  wakes waiters by what Redis publishes
    sweeper.py        ends leases and delays, and wakes all waiters

In Redis:

    keys.py           the names of all keys and channels; format.py is the hash of the prefix itself
    records.py        values to bytes and back
    scripts.py        reads lua/, one named script per file
    transitions       each script as a method
    limits.py         spans and bounds
    connection        from a URL to an answer
"""
