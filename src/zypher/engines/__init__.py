"""Where predictions wait, and where their results are kept.

engine.py       the contract, in three roles
connect.py      settings -> an engine
waiters.py      tasks that wait for a name, and what wakes them
refusals.py     what every engine refuses, with its sentence
instants.py     instants as microseconds
embedded        one process: SQLite keeps what is accepted, memory keeps the order
redis_streams   many processes on one Redis
"""
