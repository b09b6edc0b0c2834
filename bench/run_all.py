"""Runs every script of this folder and writes RESULTS.md. Takes about six minutes; nothing else should run."""

import sys

from bench import async_durable, depth, mocks, startup, sync_noop
from bench.report import write_results

_SCRIPTS = (sync_noop.SCRIPT, async_durable.SCRIPT, mocks.SCRIPT, depth.SCRIPT, startup.SCRIPT)


def main() -> int:
    results = [script.run() for script in _SCRIPTS]
    write_results(results)
    return int(not all(result.met for result in results))


if __name__ == "__main__":
    sys.exit(main())
