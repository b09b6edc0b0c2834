"""How an attempt ended, as a message to its worker."""

import pytest

from zypher.errors import InvalidInput, OutputError
from zypher.prediction import FailureKind
from zypher.replica.endings import raised, returned
from zypher.worker.protocol import Failed, Run, Succeeded

RUN = Run(7, "id", 1, b"1")


class Unreadable(OutputError):
    """One that raises when it is read."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInput("The input is wrong."), FailureKind.INVALID_INPUT),
        (OutputError("The output is wrong."), FailureKind.INVALID_OUTPUT),
        (ValueError("something"), FailureKind.MODEL_ERROR),
        (KeyboardInterrupt(), FailureKind.MODEL_ERROR),
    ],
)
def test_an_exception_fails_with_its_kind(error: BaseException, kind: FailureKind) -> None:
    failed = raised(RUN, error, 0.5)
    assert (failed.number, failed.kind, failed.run_s) == (7, kind, 0.5)
    assert str(error) in failed.message


def test_an_exception_that_cannot_be_read_is_named() -> None:
    assert raised(RUN, Unreadable(), 0.5) == Failed(7, FailureKind.MODEL_ERROR, "Unreadable", "", 0.5)


@pytest.mark.parametrize(("most_bytes", "kept"), [(3, True), (2, False)])
def test_an_output_up_to_the_limit_is_returned(most_bytes: int, kept: bool) -> None:
    ending = returned(RUN, b"123", 0.5, most_bytes)
    assert isinstance(ending, Succeeded if kept else Failed)
    assert ending.number == 7


@pytest.mark.parametrize(("length", "sent"), [(100_000, 100_000), (100_001, 100_003)])
def test_of_a_long_message_its_two_ends_are_sent(length: int, sent: int) -> None:
    message = raised(RUN, InvalidInput("a" + "x" * (length - 2) + "z"), 0.5).message
    assert (len(message), message[0], message[-1]) == (sent, "a", "z")
