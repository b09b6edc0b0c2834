"""Parts of a list that cost the same however many predictions there are."""

from pathlib import Path

import pytest

from tests.contract.phrases import MODEL, message, receive_one, settle_one, submit_one
from tests.fake_clock import FakeClock
from tests.unit.engines.embedded.opened import opened, opened_with
from zypher.engines.contract import Engine, Submission
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.prediction import Failure, FailureKind, Outcome, Status

FAILED = Outcome(Status.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "ValueError: no"))


async def fill_between(engine: Engine, number: int) -> tuple[str, str]:
    """Two predictions, and so many of another model between them."""
    first = await submit_one(engine, message(), durable=True)
    await engine.submit([Submission(message(model="other")) for _ in range(number)], durable=True)
    second = await submit_one(engine, message(), durable=True)
    return first.prediction_id, second.prediction_id


@pytest.mark.parametrize("kind", ["disk", "memory"])
async def test_a_page_may_be_short_though_another_follows(tmp_path: Path, kind: str) -> None:
    clock = FakeClock()
    journal = DiskJournal(tmp_path, clock) if kind == "disk" else MemoryJournal(clock)
    async with opened_with(journal, clock) as engine:
        first, second = await fill_between(engine, 2_500)
        found: list[list[str]] = []
        after: str | None = ""
        while after is not None:
            page = await engine.page(MODEL, after=after)
            found.append([each.prediction_id for each in page.predictions])
            after = page.after
        assert found == [[second], [], [first]]


async def test_few_failures_are_found_among_many(tmp_path: Path) -> None:
    async with opened(tmp_path, FakeClock()) as engine:
        failed = await submit_one(engine, message(), durable=True)
        await settle_one(engine, await receive_one(engine), FAILED)
        await fill_between(engine, 2_500)
        page = await engine.page(MODEL, status=Status.FAILED)
        assert [each.prediction_id for each in page.predictions] == [failed.prediction_id]
        assert page.after is None
