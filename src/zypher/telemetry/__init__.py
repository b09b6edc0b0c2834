"""What the service says of itself: figures and records.

metrics.py    what is counted, for Prometheus
logs.py       where records go; formats.py is how they are written
printable.py  foreign text made harmless
"""
