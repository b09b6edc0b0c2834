"""Metrics and logs.

metrics.py    what is counted, for Prometheus
logs.py       where records go; formats.py is how they are written, log_writer.py writes them
access_log.py     the access log
"""
