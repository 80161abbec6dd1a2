import pytest
from torch.utils.data import DataLoader

from datamodules import samplers
from datamodules.samplers import EpochSampler, LateLoader, ShardedSampler


def of_rank(monkeypatch, sampler, rank, world_size):
    monkeypatch.setattr(samplers, "rank_and_world_size", lambda: (rank, world_size))
    numbers = list(sampler)
    assert len(numbers) == len(sampler)
    return numbers


def test_epochs_continue_each_other():
    sampler = EpochSampler(5)
    assert list(sampler) == list(sampler) == [0, 1, 2, 3, 4]
    sampler.set_epoch(3)
    assert list(sampler) == [15, 16, 17, 18, 19]


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_an_epoch_without_overlap(monkeypatch, world_size):
    sampler = EpochSampler(12)
    sampler.set_epoch(2)
    shares = [of_rank(monkeypatch, sampler, rank, world_size) for rank in range(world_size)]
    assert sorted(number for share in shares for number in share) == list(range(24, 36))
    assert len({len(share) for share in shares}) == 1


def test_ranks_get_equally_many_when_the_epoch_is_not_divisible(monkeypatch):
    shares = [of_rank(monkeypatch, EpochSampler(7), rank, 2) for rank in (0, 1)]
    assert shares == [[0, 2, 4], [1, 3, 5]]


def test_processes_know_the_windows_that_they_train_on_together(monkeypatch):
    sampler = EpochSampler(12)
    sampler.set_epoch(2)
    alone = of_rank(monkeypatch, sampler, 0, 1)
    for rank in range(3):
        batch = of_rank(monkeypatch, sampler, rank, 3)[2:4]
        assert samplers.of_all_processes(batch) == alone[6:12]


@pytest.mark.parametrize(("count", "world_size"), [(7, 1), (7, 2), (8, 2), (1, 3)])
def test_every_evaluation_example_reaches_a_rank(monkeypatch, count, world_size):
    shares = [of_rank(monkeypatch, ShardedSampler(count), rank, world_size) for rank in range(world_size)]
    assert {number for share in shares for number in share} == set(range(count))
    assert len({len(share) for share in shares}) == 1


def test_empty_epoch_is_refused():
    with pytest.raises(ValueError, match="data.samples_per_epoch=0"):
        EpochSampler(0)


@pytest.mark.parametrize("workers", [0, 2])
def test_epoch_set_after_the_iterator_was_made_still_counts(workers):
    sampler = EpochSampler(4)
    loader = LateLoader(range(100), sampler=sampler, batch_size=2, num_workers=workers, persistent_workers=workers > 0)
    for epoch in (3, 5):
        batches = iter(loader)
        sampler.set_epoch(epoch)
        assert [batch.tolist() for batch in batches] == [[4 * epoch, 4 * epoch + 1], [4 * epoch + 2, 4 * epoch + 3]]
    assert len(loader) == 2
    assert isinstance(loader, DataLoader)
