"""Harms the event loop that it shares with its neighbours, or is such a neighbour."""

import asyncio
import sys
from pathlib import Path


class AsyncTrouble:
    concurrency = 8

    async def predict(self, deed: str) -> str:
        match deed:
            case "exit in a task":
                await asyncio.gather(_exit())
            case "interrupt in a task":
                await asyncio.create_task(_interrupt())
            case "stop the loop":
                asyncio.get_running_loop().stop()
            case "be cancelled":
                raise asyncio.CancelledError
            case _:
                while not _is_there(deed):
                    await asyncio.sleep(0.01)
        return "done"


def _is_there(path: str) -> bool:
    return Path(path).exists()


async def _exit() -> None:
    sys.exit(7)


async def _interrupt() -> None:
    raise KeyboardInterrupt
