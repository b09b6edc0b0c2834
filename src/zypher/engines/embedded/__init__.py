"""The embedded engine: SQLite keeps what is accepted, memory keeps the order.

    engine.py      the contract, shared out among the parts below

What happens to a prediction, in memory and on disk:

    acceptance.py  it gets onto the disk
    receiving.py   it is leased, and comes back; leases.py says whose it is
    endings.py     it is settled, cancelled or lost
    dead.py        what becomes of one that lost all its replicas
    purge.py       it is past its retention

Memory, which never waits:

    live.py        entry.py for each that has not ended, in the queue.py of its model; recent.py those that just did
    presences.py   what workers last said
    alarm.py       one timer for many instants

The disk, in two threads of its own:

    disk.py        folder.py and database.py at work; recovery.py while it does not store
    private.py     what nobody else may read, and no link stands for
    space.py       how many bytes there may be; shrinking.py gives them back to the disk
    asks.py        what it can be asked, and what it answers
    writer.py      group commit, each as in writing.py; reader.py reads; both gather in a batch_thread.py
    store.py       what is asked, as the statements.py of sql/
"""
