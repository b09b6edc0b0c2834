"""Takes deliveries from an engine, runs them in replicas, gives outcomes back.

    worker.py           start, run, drain, stop

Its background loops, and what they do in each step:

    receiver.py         fills free slots with deliveries
    revisions.py        whether inputs that another revision of the model accepted fit this worker's
    settler.py          gives back what has ended, as decide.py decides
    leases.py           extends leases
    stops.py            stops attempts that lost theirs, or whose predictions are cancelled
    limits.py           ends attempts that run too long, or ignore a stop
    publisher.py        publishes what attempts report before they end
    beginnings.py       records which attempts have begun, of careful ones before they do
    heartbeat.py        pings the replicas, and sets aside those that do not answer
    announcer.py        announces the worker

What they share:

    attempt.py          the attempts of this worker, and how they end
    events.py           what they have reported, until it is published
    slots.py            which replica makes which attempt
    replicas.py         the replicas, started again when they die
    replica.py          what a replica is to a worker; process_replica.py is one in a process of its own
    process_group.py    ends what a model started; guard.py is for that when the worker dies

Between the two processes:

    protocol.py         which messages there are; channel.py is the worker's end of the socket
    frames.py           messages as bytes; frame_reader.py finds them in what arrives
    begun.py            the memory in which a replica notes what it has begun

And beside all that:

    replica_log.py      what replicas print; log_lines.py finds the lines, log_budget.py says how many
    prediction_log.py   a record for each prediction that ends
    check.py            one replica for a moment, without an engine: `zypher check`
"""
