"""Who may come in: pure decisions on what a request says of itself.

hosts.py     the hosts that a request may name (DNS rebinding)
origins.py   the origins whose pages may call from a browser (CORS)
proxies.py   the proxies whose X-Forwarded headers are believed
"""
