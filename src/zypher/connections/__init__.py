"""HTTP/1.1 connections: uvicorn, and what it lacks.

server.py      configures uvicorn and runs it
connection.py  one connection, from its first byte to its last
responses.py   responses as bytes, and those to what is not HTTP
sweep.py       deadlines of all connections
unread.py      responses that clients have not read
heap.py        returns freed memory to the system
"""
