"""Losses by hand, by an independent formula, and by what they must not see."""

import math

import numpy as np
import pytest
import torch

from lightning_modules.losses.reconstruction import (
    MultiResolutionSTFT,
    ReconstructionLoss,
    check_functions,
    l1,
    l2,
    log_mse,
    weighted_sum,
)
from lightning_modules.losses.registry import RECONSTRUCTION

CLEAN = torch.tensor([[[1.0, 0.0, -2.0]]])
RESTORED = torch.tensor([[[1.0, 1.0, 0.0]]])


def noise(seed: int, shape: tuple[int, ...] = (2, 1, 4096)) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_values_of_three_samples_by_hand() -> None:
    assert l2(RESTORED, CLEAN).item() == pytest.approx(5 / 3)
    assert l1(RESTORED, CLEAN).item() == pytest.approx(1.0)
    assert log_mse(RESTORED, CLEAN).item() == pytest.approx(0.0, abs=1e-5)


def test_log_mse_is_the_negative_snr_of_every_example_averaged() -> None:
    clean, error = noise(0), noise(1)
    error *= torch.tensor([0.1, 3.0])[:, None, None]  # so unlike that a mean before the logarithm is another number
    snr_db = [10 * np.log10((y**2).sum() / (e**2).sum()) for y, e in zip(clean.numpy(), error.numpy(), strict=True)]
    assert log_mse(clean + error, clean).item() == pytest.approx(-np.mean(snr_db), abs=1e-4)


def test_log_mse_of_silence_is_finite() -> None:
    silence = torch.zeros(1, 1, 64)
    assert log_mse(silence, silence).item() == 0.0


def test_stft_loss_of_half_the_signal_is_convergence_one_half_plus_log_two() -> None:
    signal = noise(0)
    assert MultiResolutionSTFT((256, 512))(signal / 2, signal).item() == pytest.approx(0.5 + math.log(2), rel=1e-4)


def magnitudes(signal: np.ndarray, size: int) -> np.ndarray:
    """Frame (B, T) around every quarter of a window, weigh by Hann and transform, with NumPy alone."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    padded = np.pad(signal, ((0, 0), (size // 2, size // 2)), mode="reflect")
    starts = range(0, padded.shape[1] - size + 1, size // 4)
    power = np.array([np.abs(np.fft.rfft(padded[:, start : start + size] * window)) ** 2 for start in starts])
    return np.sqrt(np.maximum(power, 1e-8))


def test_stft_loss_agrees_with_its_equations_in_numpy() -> None:
    restored, clean = noise(0, (2, 1, 3000)), 0.5 * noise(1, (2, 1, 3000))
    clean[..., 1000:2000] = 0  # the floor takes part
    distances = []
    for size in (128, 512):
        r, s = (magnitudes(signal[:, 0].double().numpy(), size) for signal in (restored, clean))
        distances.append(np.sqrt(((s - r) ** 2).sum() / (s**2).sum()) + np.abs(np.log(s) - np.log(r)).mean())
    assert MultiResolutionSTFT((128, 512))(restored, clean).item() == pytest.approx(np.mean(distances), rel=1e-4)


def test_stft_loss_is_zero_for_equal_signals_and_finite_when_shorter_than_a_window() -> None:
    signal = noise(0, (1, 1, 100))
    assert MultiResolutionSTFT((512,))(signal, signal).item() == 0.0


def test_stft_loss_stays_float32_under_bf16_autocast() -> None:
    loss = MultiResolutionSTFT((256,))
    restored, clean = noise(0), noise(1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = loss(restored, clean)
    assert inside.dtype == torch.float32
    assert inside.item() == loss(restored, clean).item()


def test_term_of_weight_zero_is_not_computed() -> None:
    terms = ReconstructionLoss({"l2": 1.0, "mr_stft": 0.0}).terms(noise(0), noise(1))
    assert list(terms) == ["l2"]


def test_weighted_sum_by_hand() -> None:
    terms = {"l1": torch.tensor(2.0), "l2": torch.tensor(3.0)}
    assert weighted_sum(terms, {"l1": 10.0, "l2": 100.0}).item() == 320.0


def test_unknown_loss_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown model.loss_weights l3; known: deep_feature, l1, l2, log_mse, mr_stft"):
        ReconstructionLoss({"l3": 1.0})


def test_loss_without_any_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="trains nothing"):
        ReconstructionLoss({"l1": 0.0})


@pytest.mark.parametrize("named", [RECONSTRUCTION.keys() - {"l2"}, RECONSTRUCTION.keys() | {"l3"}])
def test_loss_without_a_function_and_function_without_a_loss_are_refused(named: set[str]) -> None:
    with pytest.raises(LookupError, match="l2: a loss needs|l3: a loss needs"):
        check_functions(named)
