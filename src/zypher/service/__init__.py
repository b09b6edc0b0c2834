"""What a process does with its parts from the first moment to the last.

    life.py    start, run, drain, stop: by signals
    shapes.py  whole, front, back: in which order the parts begin and end
"""
