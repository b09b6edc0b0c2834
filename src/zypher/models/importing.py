"""Imports the user's code into this process, as if the process were its script.

The current directory and the folder of the file can be imported from; `sys.argv` is the file alone; and the module is
`__main__`, too: what a script or a notebook pickled under that name is found, and a process that `multiprocessing` or
joblib spawns imports the file as it does for a script.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from zypher.errors import TargetError
from zypher.models.packages import import_advice, name_in_package
from zypher.models.user_error import target_error, user_traceback
from zypher.text import closest

FORMS = "write package.module:Name or path/to/file.py:Name"

_BY_FILE = "zypher.models.by_file"  # which finds the file by the variable
_VARIABLE = "_ZYPHER_MODEL_FILE"


def import_module(name: str) -> ModuleType:
    """A module by its name. Raises `TargetError`."""
    _allow_imports(Path.cwd())
    try:
        sys.argv = [_file_of(name)]
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise TargetError(
                f"There is no module `{error.name}` in {Path.cwd()} or among the installed packages: {FORMS}."
            ) from error
        raise _missing_package(name, error) from error
    except BaseException as error:
        raise target_error(f"Importing `{name}`", error) from error
    sys.modules["__main__"] = module
    return module


def import_file(path: Path, wanted: str) -> ModuleType:
    """A Python file, whatever its name, for what is called `wanted` in it. Raises `TargetError`."""
    _allow_imports(Path.cwd())
    if not path.is_file():
        near = suggestion(path.name, (other.name for other in path.parent.glob("*.py")))
        raise TargetError(f"There is no file `{path}` in {Path.cwd()}{near}: {FORMS}.")
    path = path.resolve()
    main, sys.argv = sys.modules["__main__"], [str(path)]
    try:
        return _run_file(path)
    except TargetError:
        raise
    except BaseException as error:
        sys.modules["__main__"] = main
        if isinstance(error, ImportError) and (advice := import_advice(path, wanted, error)):
            raise TargetError(advice, user_traceback(error)) from error
        if isinstance(error, ModuleNotFoundError):
            raise _missing_package(path.name, error) from error
        raise target_error(f"Importing `{path.name}`", error) from error


def _run_file(path: Path) -> ModuleType:
    spec = in_package = _spec_in_package(path)
    if in_package is None:
        spec = _spec_of(path)
    elif in_package.name in sys.modules:  # its package has imported it
        module = sys.modules["__main__"] = sys.modules[in_package.name]
        return module
    if spec is None or spec.loader is None:
        raise TargetError(f"The file `{path}` is no Python source: its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses, pickle and forward references look for it.
    sys.modules[spec.name] = sys.modules["__main__"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    package, _, name = spec.name.rpartition(".")
    if package and package in sys.modules:
        setattr(sys.modules[package], name, module)
    return module


def suggestion(name: str, others: Iterable[str]) -> str:
    """A hint for who misspelt `name`, "" when nothing is near."""
    near = closest(name, others)
    return f" (did you mean `{near}`?)" if near else ""


def _allow_imports(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _file_of(name: str) -> str:
    spec = importlib.util.find_spec(name)
    return name if spec is None or spec.origin is None else spec.origin


def _spec_in_package(path: Path) -> ModuleSpec | None:
    """Under its name in its package, so that it finds its neighbours by relative imports; None where it has no package.

    Imports the package.
    """
    name, folder = name_in_package(path)
    _allow_imports(folder)
    _allow_imports(path.parent)
    if folder == path.parent:
        return None
    top = name.partition(".")[0]
    if Path(_file_of(top)).resolve() != folder / top / "__init__.py":  # the package has the name of another module
        return None
    return importlib.util.find_spec(name)


def _spec_of(path: Path) -> ModuleSpec | None:
    """Under the file's own name, by which its neighbours import it, unless another module has it."""
    stem = path.stem
    if path.suffix != ".py" or (
        stem.isidentifier() and stem not in sys.modules and stem not in sys.stdlib_module_names
    ):
        return importlib.util.spec_from_file_location(stem, path)
    os.environ[_VARIABLE] = str(path)
    sys.modules.pop(_BY_FILE, None)
    return importlib.util.find_spec(_BY_FILE)


def _missing_package(importing: str, error: ModuleNotFoundError) -> TargetError:
    package = str(error.name).rpartition(".")[0]
    advice = f", which the package `{package}` does not have" if package else f": install it for {sys.executable}"
    sentence = f"Importing `{importing}` needs the module `{error.name}`{advice}."
    return TargetError(sentence, user_traceback(error))
