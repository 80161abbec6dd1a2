"""Every corruption that can be chosen by name keeps the contract of all corruptions."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.quantization import Quantize

CONFIGS = sorted((Path(__file__).parents[3] / "conf" / "corruption").glob("*.yaml"))
RATE_HZ = 16_000
LENGTH_SAMPLES = 8192
MAX_LAG_SAMPLES = 256
LATEST_SAMPLES = {"dequantize": 1}
"""A value held for an even number of samples has no middle: half a sample is left. Nothing else may be late at all."""
LATE_MODES = {"hold_causal": 4}
"""A mode of `Quantize` that no configuration uses unless asked to: a value held for 9 samples is 4 samples late on average."""
WITHOUT_GAIN = {
    "clipping": "lowers what is above its threshold",
    "dequantize": "rounding to a few bits changes the level of a sine",
    "dereverb": "reflections amplify or cancel a single frequency",
    "restore": "clips",
}
GAIN_TOLERANCE_DB = {
    "noise": 0.2,  # What of it looks like the sine by chance: at 0 dB, brown noise has much at 100 Hz.
    "codec": 0.2,  # 8 kbit/s round a lone sine coarsely.
    "low_pass": 0.15,  # A Bessel filter of order 2 has lost 0.13 dB at a tenth of its cutoff.
    "super_resolution": 0.1,  # Filters with ripple in the pass band.
}
"""For single examples; the mean over examples is held to 0.05 dB everywhere."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clean_batch(batch: int = 8, channels: int = 2) -> Tensor:
    """Make noise that falls towards high frequencies, as music and speech do."""
    spectrum = torch.fft.rfft(torch.randn(batch, channels, LENGTH_SAMPLES, generator=seeded(99)))
    frequency_hz = torch.arange(spectrum.shape[-1]) * RATE_HZ / LENGTH_SAMPLES
    shaped = torch.fft.irfft(spectrum / (1 + frequency_hz / 1000), n=LENGTH_SAMPLES)
    return 0.5 * shaped / shaped.abs().amax((1, 2), keepdim=True)


def lag_samples(clean: Tensor, corrupted: Tensor) -> Tensor:
    """Measure by how many samples each example's corrupted audio is late."""
    padded = 2 * LENGTH_SAMPLES
    cross = torch.fft.rfft(corrupted, padded) * torch.fft.rfft(clean, padded).conj()
    correlation = torch.fft.irfft(cross, padded).sum(1).roll(MAX_LAG_SAMPLES, -1)[:, : 2 * MAX_LAG_SAMPLES + 1]
    return correlation.argmax(1) - MAX_LAG_SAMPLES


def build(path: Path) -> Corruption:
    config = OmegaConf.create({"data": {"sample_rate": RATE_HZ}, "corruption": OmegaConf.load(path)})
    missing = OmegaConf.missing_keys(config)
    if missing:
        pytest.skip(f"needs {', '.join(sorted(missing))}")
    return instantiate(config.corruption, _execution_whitelist_="datamodules.corruptions.*")


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def corruption(request: pytest.FixtureRequest) -> Corruption:
    return build(request.param)


def test_there_are_configs() -> None:
    assert {"noise", "restore"} <= {path.stem for path in CONFIGS}


def test_shape_type_and_values(corruption: Corruption) -> None:
    clean = clean_batch()
    corrupted = corruption(clean, RATE_HZ, seeded())
    assert corrupted.shape == clean.shape
    assert corrupted.dtype == clean.dtype
    assert torch.isfinite(corrupted).all()
    assert not torch.equal(corrupted, clean)


def test_input_is_not_modified(corruption: Corruption) -> None:
    clean = clean_batch()
    corrupted = corruption(clean, RATE_HZ, seeded())
    corrupted.zero_()
    assert torch.equal(clean, clean_batch())


def test_seed_determines_the_result_whatever_ran_before(corruption: Corruption) -> None:
    first = corruption(clean_batch(), RATE_HZ, seeded(1))
    corruption(clean_batch(2), RATE_HZ, seeded(2))
    torch.manual_seed(7)
    assert torch.equal(first, corruption(clean_batch(), RATE_HZ, seeded(1)))


def test_examples_are_corrupted_differently(corruption: Corruption) -> None:
    clean = clean_batch(1).expand(8, -1, -1).contiguous()
    corrupted = corruption(clean, RATE_HZ, seeded())
    assert len(torch.unique(corrupted.flatten(1), dim=0)) > 4


def test_silence_stays_finite_beside_sound(corruption: Corruption) -> None:
    clean = clean_batch()
    clean[::2] = 0
    assert torch.isfinite(corruption(clean, RATE_HZ, seeded())).all()


@pytest.mark.parametrize("shape", [(1, 1, 8192), (2, 1, 4099)])
def test_any_batch_and_length(corruption: Corruption, shape: tuple[int, int, int]) -> None:
    clean = clean_batch()[: shape[0], : shape[1], : shape[2]]
    assert corruption(clean, RATE_HZ, seeded()).shape == shape


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_corrupted_audio_is_not_late(path: Path) -> None:
    clean = clean_batch(16)
    late = lag_samples(clean, build(path)(clean, RATE_HZ, seeded()))
    assert late.min() >= 0
    assert late.max() <= LATEST_SAMPLES.get(path.stem, 0)


@pytest.mark.parametrize("mode", ["hold", "hold_causal", "uniform", "mu_law"])
def test_only_the_causal_hold_is_late(mode: str) -> None:
    clean = clean_batch(16)
    late = lag_samples(clean, Quantize([mode], hold_factor=9)(clean, RATE_HZ, seeded()))
    assert late.max() == LATE_MODES.get(mode, 0)


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem not in WITHOUT_GAIN], ids=lambda path: path.stem)
def test_low_frequencies_keep_their_level(path: Path) -> None:
    sine = 0.3 * torch.sin(2 * torch.pi * 100 * torch.arange(RATE_HZ) / RATE_HZ).expand(16, 2, -1).contiguous()
    gains = (build(path)(sine, RATE_HZ, seeded()) * sine).sum((1, 2)) / sine.square().sum((1, 2))
    assert abs(20 * gains.mean().log10()) < 0.05
    assert (20 * gains.log10()).abs().max() < GAIN_TOLERANCE_DB.get(path.stem, 0.05)
