"""Installed size.

Counted: every file of every package of requirements/serve.txt and of zypherai itself, bytecode included. Not counted:
pip and setuptools, which every environment has. A count, not a measurement: it has one round.
"""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from bench.figure import Figure
from bench.processes import MIB, ROOT
from bench.report import Script


def measure() -> list[Figure]:
    sizes_mib = {name: _installed_mib(name) for name in _locked_names()}
    sizes_mib["zypherai"] = _size_mib((ROOT / "src" / "zypher").rglob("*"))
    largest = sorted(sizes_mib.items(), key=lambda item: -item[1])[:5]
    return [
        Figure("what `make install` installs", "MiB", (sum(sizes_mib.values()),), at_most=48),
        Figure("packages", "", (len(sizes_mib),), at_most=25),
        *(Figure(f"of it {name}", "MiB", (size_mib,)) for name, size_mib in largest),
    ]


def _locked_names() -> list[str]:
    return re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "serve.txt").read_text(), re.MULTILINE)


def _installed_mib(name: str) -> float:
    installed = distribution(name)
    return _size_mib(Path(str(installed.locate_file(file))) for file in installed.files or [])


def _size_mib(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths if path.is_file()) / MIB


SCRIPT = Script("install_size", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
