"""The journal on disk: one SQLite file in WAL mode with synchronous=FULL, one thread that writes, one that reads.

journal.py       starts and stops the parts below
folder.py        the data folder and its lock
private.py       rights and symbolic links of the folder and its files
database.py      opens, checks and migrates the SQLite file
space.py         how many bytes the file holds, and what goes first when it is full
shrinking.py     gives free pages back to the system
writer.py        the thread that writes: group commit
transaction.py   the operations of one batch, within its transaction
reader.py        the thread that reads
batch_thread.py  a thread that handles all queued items at once
damage.py        which errors mean a damaged file; salvage.py reads around it at the start, damage_workarounds.py has
                 what can be written and found in spite of it
wal.py           checks that the WAL is whole
store.py         what the file has of predictions: one function per statement
pages.py         lists of them, in parts
event_rows.py    what it has of events
model_rows.py    what it has of models
clock_row.py     what it has of the engine clock
statements.py    the statements: a file of `sql` each
"""
