"""The command line: parse, call, print. One file per command.

main.py        finds the command that is meant, turns errors into exit_codes.py
serve.py, worker.py, predict.py, queue.py, check.py, config.py
dead_letters.py   `zypher queue dead`
words.py          words after a command, as in `zypher queue dead show`
setting_flags.py  the settings as arguments
given_input.py    the input that `zypher predict` is given
terminal.py       what people see; tables.py aligns it
"""
