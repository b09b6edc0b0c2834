"""Models that cost nothing, so that only the service is measured."""


class Noop:
    """Answers at once."""

    concurrency = 64

    async def predict(self, input: str) -> dict[str, str]:
        return {"input": input, "result": "1234"}
