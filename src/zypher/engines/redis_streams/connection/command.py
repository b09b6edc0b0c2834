"""One command to Redis, and the future of its answer."""

import asyncio

from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.scripts import Script


class Command:
    """A command that is sent, or waits to be."""

    __slots__ = ("answer", "copied", "retried", "script", "words")

    def __init__(
        self, words: tuple[Word, ...], script: Script | None = None, *, retried: bool = False, copied: bool = False
    ) -> None:
        self.words = words
        self.script = script  # that `words` name by its digest
        self.retried = retried  # sent again until Redis accepts it, instead of failing
        self.copied = copied  # answered once enough replicas have it, if any must
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    @property
    def size_bytes(self) -> int:
        """Of the words that may be large."""
        return sum(len(word) for word in self.words if isinstance(word, bytes))

    def send_text(self) -> None:
        """Name the script by its text next time: the server does not have it yet."""
        assert self.script is not None
        self.words = ("EVAL", self.script.text, *self.words[2:])
        self.script = None

    def resolve(self, answer: object) -> None:
        """Set the answer, or the error if it is one; harmless once it is done."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
            self.answer.exception()  # retrieved, even if the caller was cancelled meanwhile
        else:
            self.answer.set_result(answer)
