"""The names of keys and channels in Redis.

    PREFIX                     hash: the format of it all, and the models that were ever served
    {PREFIX:MODEL}:stream      stream: every prediction that has not ended; its group leases them
    {PREFIX:MODEL}:model       hash: last number, highest that left, longest input, bytes of all, run time, last sweep
    {PREFIX:MODEL}:returned    sorted set: the numbers of those that were queued again
    {PREFIX:MODEL}:delayed     sorted set: the numbers of those that wait for an instant
    {PREFIX:MODEL}:dead        sorted set: the ids of the dead letters
    {PREFIX:MODEL}:workers     hash: the last announcement of each worker
    {PREFIX:MODEL}:alive       sorted set: when that announcement expires
    {PREFIX:MODEL}:card        string: the last card that was new
    {PREFIX:MODEL}:p:ID        hash: one prediction
    {PREFIX:MODEL}:k:DIGEST    string: one idempotency key
    {PREFIX:MODEL}:work        channel: something of the queue became ready
    PREFIX:told:WATCHER        channel: the ends that one process awaits

All keys of a model share a hash tag, so that one node of a cluster has them all.
"""

import hashlib
from urllib.parse import quote

import msgspec


class ModelKeys(msgspec.Struct, frozen=True):
    """The keys of one model."""

    base: str

    @classmethod
    def of(cls, prefix: str, model: str) -> "ModelKeys":
        return cls(f"{{{prefix}:{quote(model, safe='', errors='surrogatepass')}}}")

    @property
    def stream(self) -> str:
        return self.base + ":stream"

    @property
    def model(self) -> str:
        return self.base + ":model"

    @property
    def returned(self) -> str:
        return self.base + ":returned"

    @property
    def delayed(self) -> str:
        return self.base + ":delayed"

    @property
    def dead(self) -> str:
        return self.base + ":dead"

    @property
    def workers(self) -> str:
        return self.base + ":workers"

    @property
    def alive(self) -> str:
        return self.base + ":alive"

    @property
    def card(self) -> str:
        return self.base + ":card"

    @property
    def ready_channel(self) -> str:
        """The channel of a message whenever something of the queue may have become ready."""
        return self.base + ":work"

    def record(self, prediction_id: str) -> bytes:
        return f"{self.base}:p:".encode() + to_bytes(prediction_id)

    def idempotency(self, digest: str) -> str:
        return f"{self.base}:k:{digest}"


def ends_channel(prefix: str, watcher: str) -> str:
    """The channel of the ends that the process with this watcher id awaits."""
    return f"{prefix}:told:{watcher}"


def digest(content: bytes) -> str:
    """32 characters that no other content has."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_bytes(text: str) -> bytes:
    """The text as Redis keeps it, lone surrogates included, which a URL may hold."""
    return text.encode(errors="surrogatepass")


def to_text(content: bytes) -> str:
    return content.decode(errors="surrogatepass")
