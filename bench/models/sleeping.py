"""A model that waits, as for another machine: its throughput is what its slots allow."""

import asyncio


class Sleeping:
    """Answers after as many seconds as it is given."""

    concurrency = 16

    async def predict(self, input: float) -> float:
        await asyncio.sleep(input)
        return input
