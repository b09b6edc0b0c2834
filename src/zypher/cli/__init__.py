"""The command line: parse, call, print. One file per command.

main.py        finds the command that is meant, turns errors into exit codes
serve.py, worker.py, predict.py, queue.py, check.py, config.py
dead_letters.py   `zypher queue dead`
subcommands.py    `zypher queue dead show` and the like
setting_flags.py  the settings as arguments
input_argument.py the input of `zypher predict`
terminal.py       what people see; tables.py aligns it, keys.py reads what is pressed
"""
