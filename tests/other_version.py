"""Another version of zypher whose keys in Redis have the same format, beside which this one must work."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.source import ROOT

_CHANGES = (  # what a version may change without another format: what is announced, and scripts
    ("queue_state.py", "    draining: bool = False\n", "    draining: bool = False\n    zone: str = 'here'\n"),
    ("engines/redis_streams/scripts.py", '_read(f"{name}.lua"), set())', "_read(f\"{name}.lua\") + '-- other', set())"),
)
_MAIN = "zypher/__main__.py"
_RAN = "zypher-ran"


@dataclass(frozen=True)
class OtherVersion:
    """A source tree in which `zypher` can be imported."""

    source: Path

    def ran(self) -> bool:
        """Whether `python -m zypher` ran in it."""
        return (self.source / _RAN).exists()


def other_version(folder: Path) -> OtherVersion:
    """A copy of the tree that ZYPHER_TEST_VERSION names, else of ours, changed as a later version may be."""
    source = folder / "other"
    named = os.environ.get("ZYPHER_TEST_VERSION")
    shutil.copytree(named or ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    for path, before, after in () if named else _CHANGES:
        _change(source / "zypher" / path, before, after)
    main = source / _MAIN
    main.write_text(
        f"{main.read_text().partition('if __name__')[0]}\nopen({str(source / _RAN)!r}, 'w').close()\nsys.exit(main())\n"
    )
    return OtherVersion(source)


def _change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text, f"{file} has changed: change this test with it"
    file.write_text(text.replace(before, after))
