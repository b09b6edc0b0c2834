"""The embedded engine: one process, whose memory has the order of its predictions, and a journal beside it.

    engine.py        the contract, divided among the transitions below
    journal.py       what the transitions write and read, and the Protocol of a journal
    cards.py         the models' cards, in memory and in the journal
    limit.py         how many bytes a journal may hold, in numbers and sentences
    recovery.py      what happens while a journal cannot store

The transitions of a prediction, each in memory and in the journal:

    acceptance.py    submitted, or promoted later
    receiving.py     leased, and back in its queue
    ending.py        settled, cancelled or lost
    dead_letters.py  failed with all its replicas lost: replayed or purged
    retention.py     past its retention: deleted

    memory           the state of what has not ended, and a journal that keeps nothing beyond the process
    disk             the journal in a folder: SQLite in WAL mode
"""
