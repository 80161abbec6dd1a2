"""The blind noise estimate on spectrograms of noise whose power is known."""

import pytest
import torch
from torch import Tensor

from models.classical.noise_psd import SILENCE, _lowest_implied_mean, estimate_noise_psd
from models.classical.wiener import Wiener
from models.layers.stft import squared_magnitude

FRAMES, BINS = 160, 401


def power_of(mean: Tensor, seed: int = 0) -> Tensor:
    """Draw the power spectrogram (1, frames, bins) of Gaussian noise, exponential with a mean per bin."""
    draw = torch.rand(1, FRAMES, mean.shape[-1], generator=torch.Generator().manual_seed(seed))
    return -torch.log1p(-draw) * mean


def error_db(power: Tensor, mean: Tensor) -> Tensor:
    """Return how far the estimate is off, without the bins at the two ends."""
    return 10 * torch.log10(estimate_noise_psd(power) / mean)[..., 5:-5]


def test_every_quantile_of_exponential_samples_implies_their_mean() -> None:
    samples = -torch.log1p(-(torch.arange(1000, dtype=torch.float64) + 1e-6) / 1000)
    assert _lowest_implied_mean(3 * samples).item() == pytest.approx(3, rel=1e-5)


@pytest.mark.parametrize("level", [1.0, 1e-6])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_of_any_color_and_level_is_found(level: float, exponent: float) -> None:
    mean = level * torch.arange(BINS).clamp(min=1.0) ** -exponent
    estimate = estimate_noise_psd(power_of(mean))
    assert estimate.shape == (1, 1, BINS)
    assert error_db(power_of(mean), mean).abs().max() < 3.0
    assert abs(error_db(power_of(mean), mean).mean()) < 1.5


def test_estimate_is_proportional_to_the_power() -> None:
    power = power_of(torch.ones(BINS))
    torch.testing.assert_close(estimate_noise_psd(100 * power), 100 * estimate_noise_psd(power), rtol=1e-4, atol=0)


def test_sound_that_pauses_counts_for_its_share_of_the_time_only() -> None:
    power = power_of(torch.ones(BINS))
    power[:, : FRAMES // 2, 40:120] += 1000.0  # The quiet half looks twice as rare as it is: 3 dB, where the mean is off by 27.
    assert error_db(power, torch.ones(BINS)).max() < 4.0


def test_silent_frames_take_no_part() -> None:
    power = torch.cat([power_of(torch.ones(BINS)), torch.zeros(1, FRAMES, BINS)], dim=1)
    assert error_db(power, torch.ones(BINS)).abs().max() < 3.0


def test_silence_is_the_smallest_estimate() -> None:
    assert (estimate_noise_psd(torch.zeros(1, FRAMES, BINS)) <= 100 * SILENCE).all()
    assert (estimate_noise_psd(torch.zeros(1, FRAMES, BINS)) >= SILENCE).all()


def test_a_batch_equals_its_examples_and_the_input_stays() -> None:
    power = torch.cat([power_of(torch.ones(BINS)), power_of(1e-3 * torch.ones(BINS), seed=1)])
    before = power.clone()
    estimate = estimate_noise_psd(power)
    torch.testing.assert_close(estimate, torch.cat([estimate_noise_psd(example[None]) for example in power]))
    assert torch.equal(power, before)


def test_estimate_from_frames_of_white_noise_has_its_level() -> None:
    net = Wiener(16000)
    noise = torch.randn(1, 1, 64000, generator=torch.Generator().manual_seed(0))
    estimate = estimate_noise_psd(squared_magnitude(net.analyze(noise))[:, 2:-2])
    level_db = 10 * torch.log10(estimate / net.window.square().sum())
    assert level_db.shape == (1, 1, 401)
    assert level_db[..., 5:-5].abs().max() < 1.5
