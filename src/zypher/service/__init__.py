"""What a process does with its parts from the first moment to the last.

life.py             start, work, drain, stop: by signals
shapes.py           whole, front, back: in which order the parts begin and end
operated.py         a shape whose engine an operator can look after
listening.py        a shape that others reach over HTTP
sockets.py          where it listens: a host and a port, or a path
worker_health.py    what such a shape answers
"""
