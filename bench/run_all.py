"""Runs every script of this folder and writes RESULTS.md. Takes about six minutes; nothing else should run."""

import sys

from bench import async_durable, depth, install_size, mocks, startup, sync_noop
from bench.report import write_results

_MODULES = (sync_noop, async_durable, mocks, depth, startup, install_size)


def main() -> int:
    results = [module.SCRIPT.run() for module in _MODULES]
    write_results(results)
    return int(not all(result.met for result in results))


if __name__ == "__main__":
    sys.exit(main())
