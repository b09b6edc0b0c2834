"""Where predictions wait, and where their results are kept.

contract.py     the contract, in three roles
connect.py      settings -> an engine
waiters.py      tasks that wait for a name, and what wakes them
refusals.py     what every engine refuses, with its sentence
instants.py     instants as microseconds
embedded        one process: memory has the order; SQLite, or memory alone, has what is accepted
redis_streams   many processes on one Redis
"""
