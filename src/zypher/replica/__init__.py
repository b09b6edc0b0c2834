"""The process that holds one loaded copy of a model.

It imports `models` and the protocol of the worker; no other room imports it.

    process.py   its life: load the model, run what the worker sends, end when the socket does
    runner.py    what runs attempts: threads.py those of a `def` model, one by one as in singles.py, and tasks.py those
                 of an `async def` model, as in single_tasks.py
    batches/     attempts that run together
    attempts.py  those that wait and those that run; running.py is one that runs, endings.py how one ended
    interruption.py  ends what a thread runs, and nothing that it runs later
    channel.py   its end of the socket
    log.py       what the model prints and logs; line_log.py makes lines of prints
    own_imports.py  imports of ours after the model's folder is in front of `sys.path`
    forks.py     what a process that the model forks off must not do
"""
