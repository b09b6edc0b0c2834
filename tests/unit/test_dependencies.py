"""What the package imports is what `make install` installs, no less and no more."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.source import ROOT, source_files

OPTIONAL = {"annotated-types", "numpy", "pydantic", "pydantic-core"}  # looked at only where a user's model brings them
NOT_IMPORTED = {"offapi"}  # its files are served


def test_what_is_imported_is_declared() -> None:
    assert _imported() - _declared() - OPTIONAL == set()


def test_what_is_declared_is_used() -> None:
    assert _declared() - _imported() == NOT_IMPORTED


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["redis"]
    return {_normal(re.split(r"[^\w.-]", line)[0]) for line in lines}


def _imported() -> set[str]:
    owners = packages_distributions()
    packages = {name.partition(".")[0] for file in source_files("src") for name in _imports(file.tree)}
    return {_normal(owners[package][0]) for package in packages - sys.stdlib_module_names - {"zypher", "_typeshed"}}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                pass


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
