"""Runs every script of this folder and writes RESULTS.md. Takes about twenty minutes; nothing else should run."""

import sys

from bench import (
    async_durable,
    channel,
    chatty,
    depth,
    held_bytes,
    install_size,
    large_inputs,
    mocks,
    redis_depth,
    redis_engine,
    redis_http,
    redis_idle,
    redis_recovery,
    redis_scale,
    redis_sync,
    rolling,
    slow_redis,
    startup,
    sync_noop,
)
from bench.report import write_results

_ONE_MACHINE = (
    sync_noop,
    async_durable,
    mocks,
    depth,
    channel,
    chatty,
    large_inputs,
    held_bytes,
    startup,
    install_size,
)
_MANY_MACHINES = (
    redis_engine,
    redis_http,
    redis_sync,
    redis_recovery,
    redis_scale,
    redis_depth,
    redis_idle,
    rolling,
    slow_redis,
)


def main() -> int:
    results = [module.SCRIPT.run() for module in (*_ONE_MACHINE, *_MANY_MACHINES)]
    write_results(results)
    return int(not all(result.met for result in results))


if __name__ == "__main__":
    sys.exit(main())
