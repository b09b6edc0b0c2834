"""Where predictions wait, and where their results are kept.

engine.py       the contract, in three roles
connect.py      settings -> an engine
embedded        one process: SQLite keeps what is accepted, memory keeps the order
redis_streams   many processes on one Redis
"""
