"""What whoever looks after the service asks and does.

overseen.py  the engine as an operator needs it
overview.py  how every queue and worker is doing, in one record
dead.py      dead letters of many models, or one by its id

Only the process that holds an embedded engine knows its queues: it answers for them over HTTP, on a socket in its data
folder that belongs to its user alone.
"""
