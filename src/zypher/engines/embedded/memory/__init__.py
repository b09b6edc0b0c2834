"""What memory holds; nothing here touches the disk.

predictions.py  those that have not ended, and the waiters for their end
entry.py        one of them
queue.py        those of one model that wait, and its receivers; order.py is one lane
recent.py       those that ended last
leases.py       which delivery holds an entry, and until when
workers.py      what each worker announced last
alarm.py        one timer for the earliest of many instants
journal.py      `--engine memory`: the journal that lives as long as the process
records.py      its contents
"""
