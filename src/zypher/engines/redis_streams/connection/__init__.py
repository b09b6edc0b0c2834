"""The connection to Redis, from its URL to an answer.

address.py        the engine's URL
handshake.py      opens an address: checks version, cluster mode and format
greeting.py       the first words on a connection, and why Redis ends it instead
upgrade.py        what format 1 left becomes format 2
pipeline.py       sends many commands at once, and reconnects; command.py is one of them
command_queue.py  the batches in which they are sent
exchange.py       batches to one server; cluster.py: to the nodes of a cluster
copies.py         batches that are answered once replicas have them
sentinel.py       finds the master by its sentinels
failovers.py      drops the connections to a master that is replaced
subscriptions.py  receives what is published
client.py         what is used of redis-py, as types
failures.py       errors as sentences with a remedy
"""
