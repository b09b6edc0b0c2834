"""Where predictions wait, and where their results are kept.

contract.py     the contract, in four roles
connect.py      settings -> an engine
waiters.py      tasks that wait for a name, and what wakes them
stops.py        the stops that a worker of this process has not taken yet
refusals.py     what every engine refuses, with its sentence
forgetting.py   what is ended before a model is forgotten, and what forbids it
event_log.py    the events of one prediction, bounded in bytes
stored.py       instants, options and notices in the form in which they are stored
embedded        one process: memory has the order; SQLite, or memory alone, has what is accepted
redis_streams   many processes on one Redis
"""
