"""A client of a ZypherAI server: the protocol in one pure file, the connection in another."""
