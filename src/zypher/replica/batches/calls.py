"""A batch as calls of the model, and the ending of each member."""

from collections.abc import Sequence
from time import perf_counter

from zypher.errors import InvalidInput, OutputError
from zypher.models.batch import BatchPredict
from zypher.replica.batches.batch import Batch, Member
from zypher.replica.endings import failed, raised, returned
from zypher.replica.runner import Replica
from zypher.worker.protocol import Batched, Failed, Stopped, Succeeded


class Calls:
    """The life of one batch: `inputs`, a call of the model with them, `outputs`; or `raised` wherever that comes.

    A member alone is called as any attempt of a model without batches. When a batch of several raises, each of them is
    to run `again`, alone, and only the one that is at fault fails.
    """

    def __init__(self, replica: Replica, batch: Batch) -> None:
        assert replica.model.batch is not None, "only models with `predict_batch` have batches"
        self.endings: list[Succeeded | Failed | Stopped] = []
        self.again: list[Member] = []
        self._replica = replica
        self._batch_predict: BatchPredict = replica.model.batch
        self._batch = batch
        self._taken: Sequence[Member] = batch.members  # those that the model was given
        self._began_s = perf_counter()

    @property
    def single(self) -> bool:
        """Whether its only member is for `predict`."""
        return len(self._batch.members) == 1

    def input(self) -> object:
        """The input of a single member. Raises `InvalidInput`."""
        return self._replica.model.decode_input(self._batch.members[0].run.input)

    def predict(self, inputs: list[object]) -> object:
        """What `predict_batch` returns for these inputs, or an awaitable of it."""
        return self._batch_predict.call(inputs)

    def inputs(self) -> list[object]:
        """The inputs for `predict_batch`; those of which none can be made are not in it."""
        values: list[object] = []
        taken: list[Member] = []
        for member in self._batch.members:
            try:
                values.append(self._batch_predict.decode(member.run.input))
            except InvalidInput as error:
                member.left = True
                if self._batch_predict.partial:
                    self.again.append(member)
                else:
                    self.endings.append(raised(member.run, error, self._run_s()))
            else:
                taken.append(member)
        self._taken = taken
        return values

    def output(self, output: object) -> None:
        """What `predict` returned for a single member. Raises `OutputError`."""
        (member,) = self._taken
        encoded = self._replica.model.encode_output(output)
        self.endings.append(returned(member.run, encoded, self._run_s(), self._replica.max_output_bytes))

    def outputs(self, values: object) -> None:
        """What `predict_batch` returned for the inputs."""
        try:
            outputs = self._batch_predict.outputs(values, len(self._taken))
        except OutputError as error:
            self.endings += [raised(member.run, error, self._run_s()) for member in self._taken]
            return
        run_s, encode, most_bytes = self._run_s(), self._replica.model.encode_output, self._replica.max_output_bytes
        endings: list[Succeeded | Failed] = []  # all or none: what stops a batch may come in between
        for member, output in zip(self._taken, outputs, strict=True):
            try:
                endings.append(returned(member.run, encode(output), run_s, most_bytes))
            except Exception as error:
                endings.append(raised(member.run, error, run_s))
        self.endings += endings

    def raised(self, error: BaseException) -> None:
        """The batch raised this exception, or was stopped by it."""
        has_ended = {ending.number for ending in self.endings} | {member.run.number for member in self.again}
        left = [member for member in self._batch.members if member.run.number not in has_ended]
        for member in left:
            if self.single or member.stopped is not None:
                self.endings.append(failed(member.run, member.stopped, error, self._run_s()))
            else:
                self.again.append(member)

    def report(self) -> Batched:
        """What there is to say of the batch."""
        return Batched(len(self._batch.members), self._batch.waited_s, self._batch.reason)

    def _run_s(self) -> float:
        return perf_counter() - self._began_s
