"""Each script of lua/ as a method: its keys and arguments, and what its answer means.

    submissions.py    submit, keep, get, cancel
    deliveries.py     receive, recall, begin, extend, settle, release, sweep
    events.py         publish, events
    lists.py          list
    workforce.py      announce, depth, pause, forget
    dead_letters.py   dead, replay, purge
    marks.py          mark

A script is sent in the turn of the event loop in which its method is called, so calls and transitions have one order.
"""
