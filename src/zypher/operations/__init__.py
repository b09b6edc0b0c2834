"""What operators see and do.

overview.py      every queue and worker in one record
dead_letters.py  dead letters of many models, or one by its id

Only the process that holds an embedded engine can read its queues: it serves them over HTTP, on a socket in its data
folder that only its user can open. An engine in memory has no folder, and no socket.
"""
