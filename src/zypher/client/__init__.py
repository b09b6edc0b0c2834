"""A client of a ZypherAI server: the protocol in one pure file, protocol.py, the connection in client.py."""
