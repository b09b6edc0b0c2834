"""The embedded engine: one process, whose memory has the order of its predictions, and a journal beside it.

    engine.py        the contract, divided among the transitions below
    journal.py       what the transitions write and read, and the Protocol of a journal
    cards.py         the models' cards, in memory and in the journal
    engine_clock.py  what retention counts by
    size_limit.py    how many bytes a journal may hold, in numbers and sentences
    recovery.py      what happens while a journal cannot store

What is asked of predictions:

    results.py       how they ended, one by its id or many in a list
    events.py        what is said of them before they end

The transitions of a prediction, each in memory and in the journal:

    acceptance.py    submitted, or kept later
    receiving.py     leased, and back in its queue
    deadlines.py     still queued at its deadline: expired
    ending.py        settled, cancelled, expired or lost
    dead_letters.py  failed with all its replicas lost: replayed or purged
    retention.py     past its retention: deleted

    memory           the state of what has not ended, and a journal that keeps nothing beyond the process
    disk             the journal in a folder: SQLite in WAL mode
"""
