"""Who may send requests, and how many bytes.

hosts.py     the hosts that a request may name (DNS rebinding)
origins.py   the origins whose pages may call from a browser (CORS)
budget.py    the bytes that may be under way
"""
