"""The names of what is in Redis.

    PREFIX                     hash: the format of it all, and the models that were ever served
    {PREFIX:MODEL}:stream      stream: every prediction that has not ended; its group leases them
    {PREFIX:MODEL}:model       hash: last number, highest that left, longest input, bytes of all, run time, last sweep
    {PREFIX:MODEL}:returned    sorted set: the numbers of those that came back
    {PREFIX:MODEL}:delayed     sorted set: the numbers of those that wait for an instant
    {PREFIX:MODEL}:dead        sorted set: the ids of the dead letters
    {PREFIX:MODEL}:workers     hash: what each worker said last
    {PREFIX:MODEL}:alive       sorted set: until when that holds
    {PREFIX:MODEL}:p:ID        hash: one prediction
    {PREFIX:MODEL}:k:DIGEST    string: one idempotency key

All keys of a model share a hash tag, so that one node of a cluster has them all.
"""

import hashlib
from urllib.parse import quote, unquote

import msgspec

_MODEL = "model:"


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
    def work(self) -> str:
        """The channel on which those who wait for work are called."""
        return self.base + ":work"

    def record(self, prediction_id: str) -> bytes:
        return f"{self.base}:p:".encode() + to_bytes(prediction_id)

    def idempotency(self, digest: str) -> str:
        return f"{self.base}:k:{digest}"


def model_field(model: str) -> str:
    """The field of the hash PREFIX that remembers a model."""
    return _MODEL + quote(model, safe="", errors="surrogatepass")


def model_of(field: bytes) -> str | None:
    """The model that a field of the hash PREFIX remembers, None if it is no such field."""
    try:
        name = unquote(field.decode().removeprefix(_MODEL), errors="surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if field == model_field(name).encode() else None


def digest(content: bytes) -> str:
    """32 characters that no other content has."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_bytes(text: str) -> bytes:
    """The text as Redis keeps it; also one with lone surrogates, which come from odd URLs."""
    return text.encode(errors="surrogatepass")


def to_text(content: bytes) -> str:
    return content.decode(errors="surrogatepass")
