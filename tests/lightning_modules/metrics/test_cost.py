"""The cost of a method is measured per second of audio, once it is warm."""

import time

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.base import RestorationModule
from lightning_modules.metrics.cost import gpu_memory_mb, real_time_factor


class Slow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, corrupted: Tensor) -> Tensor:
        time.sleep(0.05)
        self.sizes.append(tuple(corrupted.shape))
        return corrupted


def test_real_time_factor_is_that_of_one_signal() -> None:
    net = Slow()
    audio = torch.zeros(4, 2, 4000)  # half a second
    factor = real_time_factor(RestorationModule(net, 8000), audio, audio)
    assert net.sizes == [(1, 2, 4000)]
    assert 0.1 <= factor < 0.6


def test_test_times_its_first_pair_after_the_restoration_that_it_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Slow()
    module = RestorationModule(net, 8000)
    monkeypatch.setattr(module, "_score", lambda *_: {})
    for number in range(2):
        pair = torch.zeros(1, 1, 4000)
        module.test_step({"clean": pair, "corrupted": pair, "index": torch.tensor([number])}, number)
    assert len(net.sizes) == 3  # twice the first, once the second
    assert module.real_time_factor is not None and 0.1 <= module.real_time_factor < 0.6


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_no_memory_is_reported() -> None:
    assert gpu_memory_mb() is None


@pytest.mark.gpu
def test_memory_is_the_peak_not_what_is_left() -> None:
    torch.zeros(2**20, 16, device="cuda")
    assert (gpu_memory_mb() or 0) >= 64
