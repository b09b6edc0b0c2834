"""What the service says of itself: figures and records.

metrics.py    what is counted, for Prometheus
logs.py       where records go; formats.py is how they are written
access.py     what is said of each request
printable.py  foreign text made harmless
"""
