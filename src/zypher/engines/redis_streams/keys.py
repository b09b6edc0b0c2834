"""The names of keys and channels in Redis.

    PREFIX                     hash: the format of it all, the models that were ever served, when it was seen and lost
    {PREFIX:MODEL}:model       hash: bytes of all inputs, longest input, run time, last sweep, how many were listed; of
                               each lane the last number, the highest that left and the last that was checked
    {PREFIX:MODEL}:stream      stream: every prediction of a lane that has not ended; its group leases them
    {PREFIX:MODEL}:returned    sorted set: the numbers of those that were queued again
    {PREFIX:MODEL}:delayed     sorted set: the numbers of those that wait for an instant
    {PREFIX:MODEL}:all         sorted set: the ids of durable predictions in the order of acceptance
    {PREFIX:MODEL}:deadlines   sorted set: the ids of predictions by their deadlines
    {PREFIX:MODEL}:dead        sorted set: the ids of the dead letters
    {PREFIX:MODEL}:paused      string: there while predictions are not handed out
    {PREFIX:MODEL}:workers     hash: the last announcement of each worker
    {PREFIX:MODEL}:alive       sorted set: when that announcement expires
    {PREFIX:MODEL}:card        string: the last card that was new
    {PREFIX:MODEL}:p:ID        hash: one prediction
    {PREFIX:MODEL}:e:ID        stream: its events
    {PREFIX:MODEL}:k:DIGEST    string: one idempotency key
    {PREFIX:MODEL}:work        channel: something of a lane became ready
    {PREFIX:MODEL}:stops       channel: a prediction that runs was cancelled
    PREFIX:ends:WATCHER        channel: the ends that one process awaits
    PREFIX:events:WATCHER      channel: the events that one process awaits

Stream, returned and delayed are those of the lane normal; of another lane they end in its name, as `:stream:high`.
All keys of a model share a hash tag, so that one node of a cluster has them all, and scripts make them from their
front, the base.
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
    def ready_channel(self) -> str:
        """The channel of a message whenever something of a lane may have become ready."""
        return self.base + ":work"

    @property
    def stops_channel(self) -> str:
        """The channel of the ids that are to be stopped."""
        return self.base + ":stops"


def channels(prefix: str) -> str:
    """The front of the channels of single processes."""
    return f"{prefix}:"


def ends_channel(prefix: str, watcher: str) -> str:
    """The channel of the ends that the process with this watcher id awaits."""
    return f"{channels(prefix)}ends:{watcher}"


def events_channel(prefix: str, watcher: str) -> str:
    """The same for events."""
    return f"{channels(prefix)}events:{watcher}"


def digest(content: bytes) -> str:
    """32 characters that no other content has."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_bytes(text: str) -> bytes:
    """The text as Redis keeps it, lone surrogates included, which a URL may hold."""
    return text.encode(errors="surrogatepass")


def to_text(content: bytes) -> str:
    return content.decode(errors="surrogatepass")
