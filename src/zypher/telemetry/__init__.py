"""Metrics and logs.

metrics.py    what is counted, for Prometheus
logs.py       where records go; formats.py is how they are written
access_log.py     the access log
"""
