"""Hand out example numbers, so that every process of a run gets its own share of the same sequence."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch.distributed
from torch.utils.data import DataLoader, Dataset, Sampler


def rank_and_world_size() -> tuple[int, int]:
    """Return this process's rank and the number of processes; (0, 1) outside distributed training."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def of_all_processes(numbers: Sequence[int]) -> list[int]:
    """Return the numbers of the windows that all processes train on together, in ascending order.

    They deal them out in turn, so those of this process are every world-size-th.

    Args:
        numbers: of the windows that this process trains on.
    """
    rank, world_size = rank_and_world_size()
    return [number - rank + other for number in numbers for other in range(world_size)]


class EpochSampler(Sampler[int]):
    """Hand out the global numbers epoch * samples_per_epoch + i; each process takes every world-size-th of them.

    What a number stands for is the dataset's affair. An epoch has the same windows in every run that reaches it, whether resumed
    or not and in however many processes. Their corruption is drawn for the batches of all processes together, so that it also
    depends on how many windows that are, and on nothing else. Lightning calls `set_epoch` before each epoch; its own
    sharding must be off (`use_distributed_sampler=False`), or it would replace this sampler.

    Args:
        samples_per_epoch: over all processes together; the remainder of a division among them is left out. None is for `fit`.
    """

    def __init__(self, samples_per_epoch: int | None) -> None:
        """Start at epoch 0."""
        if samples_per_epoch is not None and samples_per_epoch < 1:
            raise ValueError(f"data.samples_per_epoch={samples_per_epoch} must be at least 1")
        self._samples_per_epoch = samples_per_epoch or 0
        self._epoch, self._skipped, self._repeats = 0, 0, False

    def set_epoch(self, epoch: int) -> None:
        """Choose the numbers that the next iteration hands out."""
        self._epoch = 0 if self._repeats else epoch

    def skip(self, count: int) -> None:
        """Leave out the first numbers that this process would get from the next iteration."""
        self._skipped = count

    def fit(self, count: int) -> None:
        """Give an epoch so many numbers if none were given."""
        self._samples_per_epoch = self._samples_per_epoch or count

    def repeat(self) -> None:
        """Hand out the numbers of epoch 0 in every epoch."""
        self._repeats = True

    def __len__(self) -> int:
        """Return how many numbers this process gets, the same for all processes."""
        return self._samples_per_epoch // rank_and_world_size()[1]

    def __iter__(self) -> Iterator[int]:
        """Hand out the current epoch's numbers of this process."""
        rank, world_size = rank_and_world_size()
        first = self._epoch * self._samples_per_epoch + rank
        skipped, self._skipped = self._skipped, 0
        return iter(range(first + skipped * world_size, first + len(self) * world_size, world_size))


class ShardedSampler(Sampler[int]):
    """Hand out 0 ... count - 1, every world-size-th to each process.

    All processes get equally many, because a process that runs out of examples would leave the others waiting: the last ones
    may start again at 0. Results are keyed by the example's index, so that duplicates can be told.

    Args:
        count: number of examples.
    """

    def __init__(self, count: int) -> None:
        """Remember the count."""
        self._count = count

    def __len__(self) -> int:
        """Return how many numbers this process gets."""
        return math.ceil(self._count / rank_and_world_size()[1])

    def __iter__(self) -> Iterator[int]:
        """Hand out the numbers of this process."""
        rank, world_size = rank_and_world_size()
        return iter([(rank + step * world_size) % self._count for step in range(len(self))])


class LateLoader(DataLoader[Any]):
    """A loader that asks its sampler for numbers only when the first batch is asked for.

    On resuming, Lightning 2.6 makes the loader's iterator before it calls `set_epoch` and keeps it
    (`FitLoop.setup_data`, `_TrainingEpochLoop.on_run_start`). Worker processes would then have fetched their first batches
    from epoch 0 already.

    How many batches of an epoch it has handed out is its state, which Lightning keeps in checkpoints and gives back where a run
    goes on in the middle of an epoch.

    Args:
        sampler: of the numbers; it is told how many to leave out.
        batch_size: how many numbers make a batch.
        others: as of the base class.
    """

    def __init__(self, dataset: Dataset[Any], sampler: EpochSampler, batch_size: int, **others: Any) -> None:
        """Begin with the first batch."""
        super().__init__(dataset, sampler=sampler, batch_size=batch_size, **others)
        self._numbers, self._handed_out, self._left_out = sampler, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Return where the epoch is."""
        return {"batches": self._handed_out}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Let the next iteration begin there."""
        self._left_out = state_dict["batches"]

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # The base class names its private iterator.
        """Start the base class's iterator at the first `next`."""
        self._handed_out, self._left_out = self._left_out, 0
        self._numbers.skip(self._handed_out * (self.batch_size or 1))
        for batch in super().__iter__():
            self._handed_out += 1
            yield batch
