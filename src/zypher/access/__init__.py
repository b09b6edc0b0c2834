"""Who and how much may come in.

hosts.py     the hosts that a request may name (DNS rebinding)
origins.py   the origins whose pages may call from a browser (CORS)
proxies.py   the proxies whose X-Forwarded headers are believed
budget.py    the bytes that may be under way
"""
