"""Where predictions wait, and where their results are kept.

engine.py       the contract, in three roles
connect.py      settings -> an engine
embedded        one process: memory has the order; SQLite, or memory alone, has what is accepted
redis_streams   many processes on one Redis
"""
