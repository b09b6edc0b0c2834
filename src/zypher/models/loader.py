"""From a target, `package.module:Name` or `path/to/file.py:Name`, to a loaded model."""

import sys
from pathlib import Path
from types import ModuleType

from zypher.errors import TargetError
from zypher.models.importing import FORMS, import_file, import_module, suggestion
from zypher.models.model import LoadedModel
from zypher.models.user_error import target_error
from zypher.models.user_model import user_model_of

_loading = False


def is_loading() -> bool:
    """Whether the user's code is being imported for the model in it: in a replica, and nowhere else."""
    return _loading


def target_of(model: object) -> str:
    """The target by which another process finds this function or class; a text is one already.

    Raises `TargetError` for what another process cannot import.
    """
    if isinstance(model, str):
        return _absolute(model)
    name: str = getattr(model, "__qualname__", "")
    if not name:
        raise TargetError(f"A `{type(model).__qualname__}` cannot be served: give a function, a class or its target.")
    found = _name_of(model, name)
    if found is None:
        raise TargetError(
            f"`{name}` cannot be found by its name in a file: serve a function or a class at the top of a file."
        )
    module, name = found
    file = getattr(module, "__file__", None)
    if file is None:
        raise TargetError(f"`{name}` is in no file: put it into one, from which replicas can import it.")
    return f"{_place_of(module, file)}:{name}"


def _name_of(model: object, name: str) -> tuple[ModuleType, str] | None:
    """The module and the name in it that lead to this very object: its own, or one that it was given there."""
    modules = [sys.modules.get(str(getattr(model, "__module__", ""))), sys.modules.get("__main__")]
    for module in filter(None, modules):
        if "." not in name and getattr(module, name, None) is model:
            return module, name
        for key, value in list(vars(module).items()):
            if value is model and key.isidentifier():
                return module, key
    return None


def _place_of(module: ModuleType, file: str) -> str:
    """The module's own name where it is in a package, else its file."""
    spec = module.__spec__
    name = module.__name__ if spec is None else spec.name  # of `python -m`, where the module is called __main__
    is_packaged = "." in name or hasattr(module, "__path__")
    return name if is_packaged else str(Path(file).resolve())


def _absolute(target: str) -> str:
    """The same target, wherever the process goes."""
    place, colon, name = target.rpartition(":")
    return f"{Path(place).resolve()}:{name}" if colon and _is_path(place) and Path(place).is_file() else target


def load(target: str) -> LoadedModel:
    """Import the user's code and describe the model in it, before its `setup`.

    Changes this process into one like that of a script, see `importing`. Raises `TargetError`, whatever the user's
    code raises, SystemExit and the like included; its `details` hold the user's own traceback.
    """
    global _loading  # noqa: PLW0603  # of this process, as its imports are
    place, name = _parse(target)
    _loading = True
    try:
        module = import_file(Path(place), name) if _is_path(place) else import_module(place)
    finally:
        _loading = False
    return LoadedModel(user_model_of(_find(module, name, place), defined_as(name)))


def defined_as(target: str) -> str:
    """The name in its file of the function or class that a target leads to, see `ModelCard`."""
    return target.rpartition(":")[2].rpartition(".")[2]


def _parse(target: str) -> tuple[str, str]:
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"The target `{target}` does not name a model: {FORMS}.")
    if not _is_dotted(name) or not (_is_path(place) or _is_dotted(place)):
        raise TargetError(f"The target `{target}` is no name that can be imported: {FORMS}.")
    return place, name


def _is_path(place: str) -> bool:
    return place.endswith(".py") or "/" in place or "\\" in place


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _find(module: ModuleType, name: str, place: str) -> object:
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            near = suggestion(part, (key for key in dir(found) if not key.startswith("_")))
            raise TargetError(f"There is no `{name}` in `{place}`{near}: name a function or a class in it.") from error
        except BaseException as error:  # of a module's own __getattr__
            raise target_error(f"Looking for `{name}` in `{place}`", error) from error
    return found
