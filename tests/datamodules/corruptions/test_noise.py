"""Noise has the asked color, density and signal-to-noise ratio, independently for every example and channel."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import scipy.stats
import soundfile
import torch
from torch import Tensor

from datamodules.corruptions.dsp.fft import fast_even_length
from datamodules.corruptions.noise import Noise, colored_noise, tpdf_noise

RATE_HZ = 16000
COLORS = ["white", "pink", "brown", "tpdf", "white+pink", "brown+tpdf"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clean_batch(batch: int = 4, channels: int = 2, length: int = 8192) -> Tensor:
    return 0.1 * torch.randn(batch, channels, length, generator=seeded(99)) * torch.arange(1, batch + 1).view(-1, 1, 1)


def alternating(*shape: int) -> Tensor:
    """Return +1, -1, +1, ...: of level 1 in every even window, which a constant is not."""
    return (1.0 - 2.0 * (torch.arange(shape[-1]) % 2)).expand(shape)


def noise_of(corruption: Noise, *shape: int) -> Tensor:
    clean = alternating(*shape)
    return corruption(clean, RATE_HZ, seeded()) - clean


def reached_snr_db(clean: Tensor, noisy: Tensor) -> Tensor:
    clean, noisy = clean.double(), noisy.double()
    return 10 * torch.log10(clean.square().sum((1, 2)) / (noisy - clean).square().sum((1, 2)))


@pytest.fixture
def noise_root(tmp_path: Path) -> str:
    generator = np.random.default_rng(0)
    for name, seconds, rate_hz in (("hum.wav", 2.0, 16000), ("nested/short.flac", 0.1, 44100)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, 0.1 * generator.standard_normal((int(seconds * rate_hz), 2)), rate_hz)
    return str(tmp_path)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("snr_db", [-5.0, 7.5, 40.0])
def test_noise_reaches_requested_snr(color: str, snr_db: float) -> None:
    clean = clean_batch()
    noisy = Noise([color], snr_db)(clean, RATE_HZ, seeded())
    assert (reached_snr_db(clean, noisy) - snr_db).abs().max() < 0.05


@pytest.mark.parametrize("color", ["recorded", "white+recorded"])
def test_recorded_noise_reaches_requested_snr(color: str, noise_root: str) -> None:
    clean = clean_batch()
    noisy = Noise([color], 3.0, noise_root=noise_root)(clean, RATE_HZ, seeded())
    assert (reached_snr_db(clean, noisy) - 3.0).abs().max() < 0.05


def test_snr_is_drawn_over_the_whole_range_independently() -> None:
    clean = clean_batch(batch=200, channels=1, length=512)
    reached = reached_snr_db(clean, Noise(["white"], [0, 20])(clean, RATE_HZ, seeded()))
    assert scipy.stats.kstest(reached.numpy(), scipy.stats.uniform(0, 20).cdf).pvalue > 0.01


@pytest.mark.parametrize(("color", "db_per_octave"), [("white", 0.0), ("pink", -3.0103), ("brown", -6.0206), ("tpdf", 0.0)])
def test_spectrum_falls_with_the_slope_of_its_color(color: str, db_per_octave: float) -> None:
    noise = noise_of(Noise([color], 0.0), 8, 1, 65536)
    frequency_hz, density = scipy.signal.welch(noise.numpy(), RATE_HZ, nperseg=4096)
    band = (frequency_hz > 50) & (frequency_hz < 7500)
    weights = 1 / np.sqrt(frequency_hz[band])
    slope = np.polyfit(np.log2(frequency_hz[band]), 10 * np.log10(density.mean((0, 1))[band]), 1, w=weights)[0]
    assert slope == pytest.approx(db_per_octave, abs=0.3)


@pytest.mark.parametrize("color", ["pink", "brown"])
def test_falling_colors_hold_nothing_inaudible(color: str) -> None:
    noise = noise_of(Noise([color], 0.0), 2, 1, 16384).double()
    power = torch.fft.rfft(noise).abs().square()
    assert power[..., :20].sum() < 1e-6 * power.sum()


def test_white_noise_samples_are_normal_and_uncorrelated() -> None:
    noise = colored_noise(torch.tensor([[1.0, 0.0, 0.0]]), (1, 1, 30_000), RATE_HZ, seeded()).flatten()
    standard = (noise / noise.std()).numpy()
    assert scipy.stats.kstest(standard, "norm").pvalue > 0.01
    assert abs(scipy.stats.kurtosis(standard)) < 0.1
    assert np.abs(np.correlate(standard, standard[100:-100], "valid")[:100]).max() / len(standard) < 0.03


def test_noise_does_not_peak_where_its_transform_begins() -> None:
    noise = colored_noise(torch.tensor([[1.0, 0.0, 0.0]]).expand(400, -1), (400, 1, 1024), RATE_HZ, seeded())
    first = noise[:, 0, 0] / noise.std()
    assert first.mean().abs() < 0.2
    assert first.std().item() == pytest.approx(1, abs=0.15)


def test_tpdf_noise_has_triangular_density_and_its_variance() -> None:
    noise = tpdf_noise((1, 1, 50_000), seeded()).flatten()
    assert noise.var().item() == pytest.approx(2 / 3, rel=0.02)
    assert scipy.stats.kstest(noise.numpy(), scipy.stats.triang(0.5, -2, 4).cdf).pvalue > 0.01


def test_every_entry_of_colors_is_drawn() -> None:
    noise = noise_of(Noise(["white", "brown"], 0.0), 200, 1, 1024)
    neighbors = (noise[..., 1:] * noise[..., :-1]).mean((1, 2)) / noise.square().mean((1, 2))
    brown = (neighbors > 0.5).sum().item()
    assert 70 < brown < 130


def test_mixture_proportions_differ_between_examples() -> None:
    noise = noise_of(Noise(["white+brown"], 0.0), 300, 1, 4096)
    neighbors = (noise[..., 1:] * noise[..., :-1]).mean((1, 2)) / noise.square().mean((1, 2))
    assert scipy.stats.kstest(neighbors.numpy(), scipy.stats.uniform(0, 1).cdf).statistic < 0.12


@pytest.mark.parametrize("color", COLORS)
def test_examples_and_channels_get_independent_noise(color: str) -> None:
    noise = noise_of(Noise([color], 0.0), 2, 2, 32768).reshape(4, -1)
    assert (torch.corrcoef(noise) - torch.eye(4)).abs().max() < 0.25


@pytest.mark.parametrize("color", COLORS)
def test_channels_share_their_level(color: str) -> None:
    noise = noise_of(Noise([color], [0, 30]), 4, 2, 32768)
    levels = noise.square().mean(2)
    assert torch.allclose(levels[:, 0], levels[:, 1], rtol=0.35)


@pytest.mark.parametrize("color", COLORS)
def test_noise_depends_on_the_generators_seed_alone(color: str) -> None:
    clean = clean_batch()
    noise = Noise([color])
    first = noise(clean, RATE_HZ, seeded(5))
    assert torch.equal(first, noise(clean, RATE_HZ, seeded(5)))
    assert not torch.equal(first, noise(clean, RATE_HZ, seeded(6)))


def test_clean_batch_is_not_modified() -> None:
    clean = clean_batch()
    before = clean.clone()
    Noise(COLORS)(clean, RATE_HZ, seeded())
    assert torch.equal(clean, before)


@pytest.mark.parametrize("color", COLORS)
def test_silent_example_stays_silent_beside_others(color: str) -> None:
    clean = clean_batch()
    clean[1] = 0
    noisy = Noise([color], -20.0)(clean, RATE_HZ, seeded())
    assert torch.isfinite(noisy).all()
    assert torch.equal(noisy[1], clean[1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_type_is_kept(dtype: torch.dtype) -> None:
    assert Noise(COLORS)(clean_batch().to(dtype), RATE_HZ, seeded()).dtype == dtype


@pytest.mark.parametrize("length", [1, 2, 17, 16381])
def test_any_length_is_kept(length: int) -> None:
    noisy = Noise(COLORS)(alternating(6, 1, length), RATE_HZ, seeded())
    assert noisy.shape == (6, 1, length)
    assert torch.isfinite(noisy).all()


@pytest.mark.parametrize("length", [1, 5, 1000, 16384, 99_999])
def test_period_is_even_and_at_most_a_quarter_longer(length: int) -> None:
    period = fast_even_length(length)
    assert period % 2 == 0
    assert length <= period <= max(2, 1.25 * length)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"colors": ["white", "purple"]}, "unknown noise 'purple'.*known: white, pink, brown, tpdf, recorded"),
        ({"colors": []}, "colors is empty"),
        ({"snr_db": [20, 0]}, r"snr_db=\[20, 0\]"),
        ({"colors": ["recorded"]}, "noise_root is not set"),
        ({"colors": ["recorded"], "noise_root": "/nowhere"}, "'/nowhere' is not a folder"),
    ],
)
def test_wrong_setting_is_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Noise(**settings)


def test_recorded_noise_follows_the_split_and_names_what_it_skips(tmp_path: Path) -> None:
    for name, level in (("quiet.wav", 0.01), ("loud.wav", 0.5), ("silent.wav", 0.0)):
        soundfile.write(tmp_path / name, level * np.sin(np.arange(RATE_HZ)), RATE_HZ, subtype="FLOAT")
    (tmp_path / "MANIFEST.csv").write_text("file,split\nquiet.wav,train\nloud.wav,test\nsilent.wav,train\n", encoding="utf-8")
    noise = Noise(["recorded"], 0.0, str(tmp_path))
    assert noise.skipped == noise.for_split("test").skipped == [f"{tmp_path / 'silent.wav'}: is silent"]
    served = [noise.for_split(split)._recordings for split in ("train", "test")]
    assert [[info.path.name for info in files._files] for files in served] == [["quiet.wav"], ["loud.wav"]]


def test_recorded_noise_reaches_the_ratio_although_it_is_mostly_silent(tmp_path: Path) -> None:
    audio = np.zeros(10 * RATE_HZ)
    audio[::RATE_HZ] = 0.5
    soundfile.write(tmp_path / "clicks.wav", audio, RATE_HZ)
    clean = clean_batch()
    noisy = Noise(["recorded"], 10.0, str(tmp_path))(clean, RATE_HZ, seeded())
    torch.testing.assert_close(reached_snr_db(clean, noisy), torch.full((4,), 10.0).double(), atol=0.05, rtol=0)
