"""The forms in which a model can be written."""


def shout(text: str) -> str:
    return text.upper()


async def whisper(text: str) -> str:
    return text.lower()


class Greeter:
    def setup(self) -> None:
        self.greeting = "Hello"

    def predict(self, name: str) -> str:
        return f"{self.greeting}, {name}"


class AsyncGreeter:
    async def setup(self) -> None:
        self.greeting = "Good day"

    async def predict(self, name: str) -> str:
        return f"{self.greeting}, {name}"
