"""Gradients of several batches added up for one step, where a method steps several networks, each against those just stepped.

Every network needs all batches of a step before the next one has its turn. So batches wait until they are complete, and each
network goes through all of them: what does not fit into memory at once is a batch's activations, not its audio.
"""

from collections.abc import Callable, Iterator, Sequence

from lightning_modules.base import Batch
from models.layers.counts import check_count


class Accumulation:
    """The batches of a step, and which of them is at work.

    Args:
        batches: whose gradients make a step.

    Attributes:
        begins: whether the batch at work is the first of its step.
        ends: whether it is the last.
        share: of all examples of the step, that are in the batch at work.

    Raises:
        ValueError: if there is to be none.
    """

    def __init__(self, batches: int) -> None:
        check_count("model.accumulate_batches", batches)
        self._batches = batches
        self._waiting: list[Batch] = []
        self.begins = self.ends = True
        self.share = 1.0

    @property
    def is_complete(self) -> bool:
        """Say whether no batch waits for others."""
        return not self._waiting

    def add(self, batch: Batch, is_last: Callable[[], bool]) -> list[Batch]:
        """Return all batches of a step if this one completes them, else none.

        Args:
            batch: of training pairs.
            is_last: says whether the epoch has no more.
        """
        self._waiting.append(batch)
        if len(self._waiting) < self._batches and not is_last():
            return []
        complete, self._waiting = self._waiting, []
        return complete

    def parts(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        """Go through the batches of a step for one network, or for several that do not see each other."""
        examples = sum(len(batch["index"]) for batch in batches)
        for number, batch in enumerate(batches):
            self.begins, self.ends = number == 0, number == len(batches) - 1
            self.share = len(batch["index"]) / examples
            yield batch
        self.begins = self.ends = True
        self.share = 1.0
