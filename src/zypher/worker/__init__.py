"""Takes deliveries from an engine, runs them in replicas, gives outcomes back.

In the worker's process:

    worker.py    start, run, drain, stop
    duty.py      the loop of two duties: receiver.py keeps free slots filled, lease.py extends and announces
    executor.py  one attempt, from a delivery to its outcome; retry.py decides what follows a lost one
    replicas.py  keeps replicas alive; replica.py is one of them, slots.py hands out their slots
    prediction_log.py  a record for each prediction that ends
    check.py           one replica for a moment, without an engine: `zypher check`

Between the two: messages.py is what is said, channel.py is one end of the socket.

In the replica's process:

    replica_process.py  load the model, run what is sent, end with the socket
    attempts.py         a thread or a task for each attempt
"""
