"""What memory holds; nothing here touches the disk.

predictions.py  those that have not ended, and the waiters for their end
entry.py        one of them
queue.py        the order of one model's, and its receivers
recent.py       those that ended last
leases.py       which delivery holds an entry, and until when
workers.py      what each worker announced last
alarm.py        one timer for the earliest of many instants
journal.py      `--engine memory`: the journal that lives as long as the process
records.py      its contents
"""
