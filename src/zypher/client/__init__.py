"""Clients of a ZypherAI server.

client.py     for whoever wants predictions; protocol.py is the same without a network
operators.py  for whoever looks after the server
"""
