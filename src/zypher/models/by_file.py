"""The user's file, where its own name cannot be that of a module: `my-model.py`, or `queue.py` beside the library's.

It is imported like any other module, also by processes that the model spawns and that unpickle what refers to it.
"""

import os
import sys
from importlib.machinery import SourceFileLoader

__file__ = os.environ["_ZYPHER_MODEL_FILE"]
SourceFileLoader(__name__, __file__).exec_module(sys.modules[__name__])
