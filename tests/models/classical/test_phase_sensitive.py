"""The phase-sensitive mask: exact where it is known, best among gains, never above 1."""

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.phase_sensitive import PhaseSensitiveMaskOracle
from models.layers import stft


def draw(seed: int, samples: int = 9000) -> Tensor:
    return torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("gain", "expected"), [(1.0, 1.0), (0.5, 0.5), (0.0, 0.0), (2.0, 1.0), (-1.0, 0.0)])
def test_gain_is_found_and_held_from_0_to_1(gain: float, expected: float) -> None:
    noisy = draw(0)
    restored = PhaseSensitiveMaskOracle().restore_with_clean(noisy, gain * noisy)
    torch.testing.assert_close(restored, expected * noisy, atol=1e-5, rtol=0)


def test_mask_is_that_of_the_formula() -> None:
    clean, noisy = draw(1), draw(1) + draw(2)
    window = torch.hann_window(512)
    one, other = (stft.analyze(signal[:, 0], window, 128, edges="silent") for signal in (clean, noisy))
    mask = (one.abs() / other.abs() * torch.cos(one.angle() - other.angle())).clamp(0, 1)
    expected = stft.synthesize(mask * other, window, 128, clean.shape[-1])
    restored = PhaseSensitiveMaskOracle(512, 128).restore_with_clean(noisy, clean)[:, 0]
    torch.testing.assert_close(restored, expected, atol=1e-4, rtol=0)


def test_no_magnitude_mask_has_a_higher_snr() -> None:
    clean, noisy = draw(3), draw(3) + 0.7 * draw(4)
    window = torch.hann_window(2048)
    one, other = (stft.analyze(signal[:, 0], window, 512, edges="silent") for signal in (clean, noisy))
    ratio = (one.abs().square() / (one.abs().square() + (other - one).abs().square())).sqrt()
    by_ratio = stft.synthesize(ratio * other, window, 512, clean.shape[-1])[:, None]
    by_phase = PhaseSensitiveMaskOracle().restore_with_clean(noisy, clean)
    assert (snr_db(by_phase, clean) > snr_db(by_ratio, clean) + 0.3).all()


def test_silence_stays_silent() -> None:
    silence = torch.zeros(1, 1, 3000)
    assert torch.equal(PhaseSensitiveMaskOracle().restore_with_clean(silence, silence), silence)


@pytest.mark.parametrize("hop", [0, 1025])
def test_frames_that_leave_samples_out_are_refused(hop: int) -> None:
    with pytest.raises(ValueError, match=f"hop_samples={hop} must be from 1 to half of fft_samples=2048"):
        PhaseSensitiveMaskOracle(2048, hop)
