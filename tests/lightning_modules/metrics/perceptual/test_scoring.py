"""Values of the packages of the extra `perceptual`: equal signals, and the order in which a lost band can come back."""

import math
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.metrics_order import oracle_order
from lightning_modules.metrics.perceptual.scoring import PACKAGES, Kind, Question, answer
from lightning_modules.metrics.registry import METRICS, computed_in

RATE_HZ = 48000
NOTES = 8
BEST = {("visqol", "music"): 4.73, ("visqol", "speech"): 5.0, ("zimtohrli", "music"): 5.0, ("zimtohrli", "speech"): 5.0}


def need(name: str) -> None:
    if any(find_spec(module) is None for module in PACKAGES[name].modules):
        pytest.skip("needs the perceptual extra")


def music(seconds: float) -> Tensor:
    """Return notes with falling overtones up to the top of the band, each begun by a beat of noise; (T,)."""
    generator, length = torch.Generator().manual_seed(1), int(seconds * RATE_HZ)
    time, signal = torch.arange(length) / RATE_HZ, torch.zeros(length)
    for note in range(NOTES):
        start = note * length // NOTES
        rest, tone = time[: length - start], 110 * 2 ** (int(torch.randint(36, (1,), generator=generator)) / 12)
        for overtone in range(1, int(0.47 * RATE_HZ / tone)):
            fall = torch.exp(-(3 + 0.15 * overtone) * rest) / overtone
            signal[start:] += fall * torch.sin(2 * math.pi * overtone * tone * rest)
        signal[start:] += 0.3 * torch.randn(len(rest), generator=generator) * torch.exp(-40 * rest)
    return 0.3 * signal / signal.abs().max()


def value(name: str, restored: Tensor, clean: Tensor, kind: Kind = "music") -> float:
    return answer(Question(name, kind, restored[None].numpy(), clean[None].numpy(), RATE_HZ)).value


def test_registry_and_packages_know_the_same_metrics() -> None:
    assert set(PACKAGES) == set(computed_in("perceptual"))
    assert all(METRICS[name].higher_is_better and METRICS[name].is_of_method for name in PACKAGES)
    assert not any(METRICS[name].is_probe for name in PACKAGES)


@pytest.mark.parametrize("name", ["visqol", "zimtohrli"])
def test_order_is_that_of_how_much_of_a_lost_band_comes_back(name: str) -> None:
    need(name)
    clean = music(2.0)
    values = [value(name, restored, clean) for restored in oracle_order(clean, RATE_HZ, 16000).values()]
    assert all(worse < better for worse, better in pairwise(values)), values


@pytest.mark.parametrize(("name", "kind"), list(BEST))
def test_equal_signals_have_the_best_value(name: str, kind: Kind) -> None:
    need(name)
    clean = music(1.0)
    assert value(name, clean, clean, kind) == pytest.approx(BEST[name, kind], abs=0.01)


def test_rating_without_a_reference_hears_noise_and_not_the_clean_signal() -> None:
    need("dnsmos")
    clean = music(1.0)
    noisy = clean + 0.1 * torch.randn(len(clean), generator=torch.Generator().manual_seed(0))
    rated = [value("dnsmos", signal, clean, "speech") for signal in (clean, noisy)]
    assert 5 > rated[0] > rated[1] > 0.5
    assert rated[0] == value("dnsmos", clean, noisy, "speech")


def test_channels_are_averaged() -> None:
    need("zimtohrli")
    clean = np.tile(music(1.0).numpy(), (2, 1))
    restored = clean * np.array([[1.0], [0.0]], dtype=np.float32)
    both = answer(Question("zimtohrli", "music", restored, clean, RATE_HZ)).value
    each = [answer(Question("zimtohrli", "music", restored[[c]], clean[[c]], RATE_HZ)).value for c in (0, 1)]
    assert both == pytest.approx(sum(each) / 2) and each[0] > each[1]
