"""Prints how many packages and MiB `make install` puts into .venv.

Counted: every file of every package of requirements/serve.txt and of zypherai itself, bytecode included.
Not counted: pip and setuptools, which every environment has. Run it as `.venv/bin/python bench/install_size.py`.
"""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
MIB = 1024 * 1024
LIMIT_MIB = 40
LIMIT_PACKAGES = 25


def main() -> int:
    sizes_bytes = {name: _installed_bytes(name) for name in _locked_names()}
    sizes_bytes["zypherai"] = _size_bytes((ROOT / "src" / "zypher").rglob("*"))
    for name, size_bytes in sorted(sizes_bytes.items(), key=lambda item: -item[1]):
        print(f"{size_bytes / MIB:6.2f} MiB  {name}")
    total_mib = sum(sizes_bytes.values()) / MIB
    print(f"{total_mib:6.2f} MiB  in {len(sizes_bytes)} packages (limits: {LIMIT_MIB} MiB, {LIMIT_PACKAGES} packages)")
    return int(total_mib >= LIMIT_MIB or len(sizes_bytes) > LIMIT_PACKAGES)


def _locked_names() -> list[str]:
    return re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "serve.txt").read_text(), re.MULTILINE)


def _installed_bytes(name: str) -> int:
    installed = distribution(name)
    return _size_bytes(Path(str(installed.locate_file(file))) for file in installed.files or [])


def _size_bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
