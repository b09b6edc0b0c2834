"""HTTP/1.1 connections: uvicorn, and what it lacks.

server.py        configures uvicorn and runs it
connection.py    one connection, from its first byte to its last
response.py      an answer as bytes
refusals.py      what a connection that is not served is told
sweep.py         deadlines of all connections
unread.py        answers that are not read
heap.py          memory that was freed goes back to the system
"""
