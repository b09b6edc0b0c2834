"""The life of a process, from its start to its end.

lifecycle.py        start, work, drain, stop: by signals
processes.py        server with worker, server only, worker only: the order in which their parts start and end
http_process.py     a process with an HTTP server
operator_socket.py  a process with a socket for operators
sockets.py          where it listens: a host and a port, or a path
worker_health.py    readiness and metrics of a worker without a server
"""
