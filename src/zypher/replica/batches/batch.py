"""A batch that runs. Its members are stopped one by one, and the model once no output of it is wanted."""

from collections.abc import Sequence

import msgspec

from zypher.prediction import StopReason
from zypher.replica.running import Interruptible
from zypher.worker.protocol import BatchReason, Run


class Member(msgspec.Struct, eq=False):
    """An attempt of a batch, or one that waits for its batch."""

    run: Run
    arrived_at_s: float  # by a monotonic clock
    alone: bool = False  # whether it runs in a batch of its own
    stopped: StopReason | None = None  # set once it is to end before its time
    left: bool = False  # whether its batch goes on without it


class Batch(Interruptible, eq=False, kw_only=True):
    """Members that run together, as one to the model. What is asked of the context is that of a lone member."""

    members: Sequence[Member]
    reason: BatchReason  # why it went
    waited_s: float  # its oldest member

    def stop_member(self, number: int, reason: StopReason) -> bool:
        """Note that a member is to end; whether all of them are now, so that the batch is."""
        for member in self.members:
            if member.run.number == number:
                member.stopped = reason
        return all(member.left or member.stopped is not None for member in self.members)


def batch_of(members: Sequence[Member], reason: BatchReason, now_s: float) -> Batch:
    """A batch that goes now."""
    lone = members[0].run if len(members) == 1 else None
    return Batch(
        prediction_id=None if lone is None else lone.prediction_id,
        attempt=0 if lone is None else lone.attempt,
        members=members,
        reason=reason,
        waited_s=now_s - min(member.arrived_at_s for member in members),
    )
