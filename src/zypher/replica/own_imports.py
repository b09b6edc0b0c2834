"""Imports of ours when the model's folder is in front of `sys.path`, where a file may have the name of a module."""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType

_PATH = list(sys.path)  # before there is a model
_EVENT_LOOP = ("asyncio", "uvloop")


def own_import(name: str) -> ModuleType:
    """A module of ours, or of the standard library, and what it imports in turn; nothing of the model's."""
    for each in _EVENT_LOOP:
        loaded, ours = sys.modules.get(each), PathFinder.find_spec(each, _PATH)
        if loaded is not None and ours is not None and getattr(loaded, "__file__", None) != ours.origin:
            del sys.modules[each]  # the model has its own at hand
    path, sys.path = sys.path, list(_PATH)
    try:
        return import_module(name)
    finally:
        sys.path = path
