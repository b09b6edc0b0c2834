"""Clients of a ZypherAI server.

client.py     predictions; protocol.py is its requests and responses without a network
operators.py  the engine of a running server, for operators
"""
