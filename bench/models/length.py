"""A model that answers with the length of a text: what else takes time is the way of the text to it."""


class Length:
    """Answers at once."""

    async def predict(self, input: str) -> int:
        return len(input)
