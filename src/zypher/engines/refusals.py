"""What every engine refuses, as one error with one sentence."""

from zypher.errors import DataFull, EngineUnavailable, IdempotencyKeyReused, QueueFull

STOPPING = "The server is stopping and takes nothing more; try again once it runs."  # of an engine that is closed

_MIB = 1024 * 1024


def stopping() -> EngineUnavailable:
    """For a call to an engine that is closed or not open yet."""
    return EngineUnavailable(STOPPING)


def queue_full(model: str, waiting: int, more: int = 1) -> QueueFull:
    """For a submit or a replay of so many more while so many of the model's predictions wait."""
    if more > 1:
        return QueueFull(
            f"{waiting} predictions wait for {model}, and there is no room for {more} more; "
            "send fewer, or these again later."
        )
    return QueueFull(f"{waiting} predictions wait for {model}, as many as may; send this one again later.")


def inputs_full(model: str, most_bytes: int) -> DataFull:
    """For a submit or a replay whose input exceeds what the inputs of one model may take up together."""
    return DataFull(
        f"The inputs that wait for {model} have the {most_bytes / _MIB:.6g} MiB that they may (max_data_mb); "
        "send this one again later."
    )


def forgotten() -> EngineUnavailable:
    """For a caller who waits for a prediction that was there before and is not any more, though it never ended."""
    return EngineUnavailable(
        "The engine has lost this prediction, as after a failover to an empty replica; send it again.",
        public="The service has lost this prediction before it ended; send it again.",
    )


def key_reused() -> IdempotencyKeyReused:
    """For a submit whose idempotency key was used with another input."""
    return IdempotencyKeyReused(
        "This idempotency key was already used with another input; use a new key for a new prediction."
    )
