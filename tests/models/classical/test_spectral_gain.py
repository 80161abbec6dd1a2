"""What every filter of short-time spectra does with notes, silence and the shortest signals."""

import itertools

import numpy as np
import pytest
import torch

from lightning_modules.metrics.snr import si_sdr_db, snr_db
from models.classical.block_thresholding import BlockThresholding, BlockThresholdingOracle
from models.classical.mmse import MmseLsa, MmseLsaOracle, MmseStsa
from models.classical.nmf import NMF
from models.classical.noise_psd import SILENCE
from models.classical.spectral_gain import SpectralFilter, SpectralGain, ToldNoise
from models.classical.spectral_subtraction import BeroutiSubtraction, SpectralSubtraction, SpectralSubtractionOracle
from models.classical.total_variation import TotalVariation, TotalVariationOracle
from models.classical.wiener import Wiener, WienerOracle
from tests.models.classical.decaying_tones import INPUT_SNRS_DB, RATE_HZ, REFERENCE_DB, decaying_tones, in_white_noise

BLIND = [Wiener, SpectralSubtraction, BeroutiSubtraction, MmseStsa, MmseLsa, BlockThresholding, NMF, TotalVariation]


class BlockGains(BlockThresholdingOracle):
    """Block thresholding without the pass of a Wiener filter."""

    def gains(self, power: torch.Tensor, noise_psd: torch.Tensor) -> torch.Tensor:
        return self.block_gains(power / noise_psd)


ORACLES: dict[str, ToldNoise] = {
    "empirical Wiener": SpectralSubtractionOracle(RATE_HZ, over_subtraction=1.0, floor=0.0),
    "power subtraction": SpectralSubtractionOracle(RATE_HZ),
    "decision-directed Wiener": WienerOracle(RATE_HZ),
    "MMSE-LSA": MmseLsaOracle(RATE_HZ),
    "block thresholding": BlockGains(RATE_HZ),
    "block thresholding, Wiener pass": BlockThresholdingOracle(RATE_HZ),
    "total variation, Wiener pass": TotalVariationOracle(RATE_HZ),
}


class Doubling(ToldNoise, SpectralGain):
    def gains(self, power: torch.Tensor, noise_psd: torch.Tensor) -> torch.Tensor:
        self.seen = noise_psd
        return torch.full_like(power, 2.0)


def told(net: ToldNoise, input_snr_db: float) -> float:
    clean = decaying_tones()
    return snr_db(net.restore_with_clean(in_white_noise(clean, input_snr_db), clean), clean).item()


@pytest.fixture(scope="module")
def told_db() -> dict[str, list[float]]:
    return {name: [told(net, level) for level in INPUT_SNRS_DB] for name, net in ORACLES.items()}


@pytest.mark.parametrize("name", ORACLES)
def test_a_filter_that_knows_the_noise_reaches_its_reference(name: str, told_db: dict[str, list[float]]) -> None:
    assert told_db[name] == pytest.approx(REFERENCE_DB[name], abs=0.6)


def test_filters_stand_in_the_order_of_the_references(told_db: dict[str, list[float]]) -> None:
    for (one, first), (two, second) in itertools.permutations(told_db.items(), 2):
        expected = np.subtract(REFERENCE_DB[one], REFERENCE_DB[two])
        assert (np.subtract(first, second)[expected > 0.15] > 0).all(), (one, two)


@pytest.mark.parametrize("kind", BLIND)
def test_a_filter_that_estimates_the_noise_comes_near_to_one_that_knows_it(kind: type[SpectralFilter]) -> None:
    clean = decaying_tones()
    gain_db = [snr_db(kind(RATE_HZ)(in_white_noise(clean, level)), clean).item() - level for level in (0.0, 20.0)]
    assert gain_db[0] > 5.5 and gain_db[1] > -0.5


@pytest.mark.parametrize("kind", BLIND)
def test_silence_stays_silent_and_its_place_in_noise_is_no_matter(kind: type[SpectralFilter]) -> None:
    net, clean = kind(RATE_HZ), decaying_tones(3.0)
    assert torch.equal(net(torch.zeros(1, 2, 8000)), torch.zeros(1, 2, 8000))
    padded = [torch.nn.functional.pad(signal, (8000, 8000)) for signal in (in_white_noise(clean, 5.0), clean)]
    restored = net(padded[0])
    assert restored.isfinite().all()
    assert si_sdr_db(restored, padded[1]) > 8.0


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("samples", [1, 100, 801, 2001])
def test_what_is_too_short_to_tell_noise_from_sound_comes_back(kind: type[SpectralFilter], samples: int) -> None:
    signal = torch.randn(2, 3, samples, generator=torch.Generator().manual_seed(0))
    restored = kind(RATE_HZ)(signal)
    assert torch.equal(restored, signal)
    assert restored is not signal


@pytest.mark.parametrize("kind", BLIND)
def test_a_loud_recording_is_restored_like_a_quiet_one(kind: type[SpectralFilter]) -> None:
    net, noisy = kind(RATE_HZ), in_white_noise(decaying_tones(3.0), 5.0)
    torch.testing.assert_close(net(0.01 * noisy) / 0.01, net(noisy), atol=2e-5, rtol=0)


def test_told_noise_is_the_mean_power_of_the_difference() -> None:
    net, noise = Doubling(RATE_HZ), 0.1 * torch.randn(1, 1, 8000, generator=torch.Generator().manual_seed(0))
    clean = decaying_tones(1.0)
    torch.testing.assert_close(net.restore_with_clean(clean + noise, clean), 2 * (clean + noise), atol=1e-5, rtol=0)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(noise.flatten().double().numpy(), 200), 400)[::200]
    expected = (np.abs(np.fft.rfft(frames * np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)))) ** 2).mean(0)
    np.testing.assert_allclose(net.seen.flatten().numpy(), expected, rtol=1e-3)
    net.restore_with_clean(clean, clean)
    assert net.seen.unique().tolist() == pytest.approx([SILENCE])
