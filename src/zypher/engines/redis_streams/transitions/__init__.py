"""Each script of lua/ as a method: its keys and arguments, and what its answer means.

    submissions.py    submit, get, cancel
    deliveries.py     receive, recall, extend, settle, release, sweep
    workforce.py      announce, depth
    dead_letters.py   dead, replay, purge

A script is sent in the turn of the event loop in which its method is called, so calls and transitions have one order.
"""
