"""Mutated requests against a real server, for as long as one likes: `make fuzz SECONDS=60 SEED=7`.

__main__.py   runs a server, many clients, and an account at the end
mutation.py   requests from the raw cases, changed by chance
"""
