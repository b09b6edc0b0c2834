"""What whoever looks after the service asks and does, and the way to a server that holds its own engine.

    overseen.py  the engine as an operator needs it
    overview.py  how every queue and worker is doing, in one record
    dead.py      dead letters of many models, or one by its id
    messages.py  what is said over the socket in a server's data folder
    server.py    the server's end of it
    remote.py    the operator's end

Only the process that holds an embedded engine knows its queues, so that process answers for them. The socket
belongs to the server's user alone: nothing of this can be asked over HTTP.
"""
