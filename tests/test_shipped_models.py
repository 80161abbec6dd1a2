"""The models that come with the project: small, described, found by name, and as good as when they were written.

Their excerpts are made here: rendered music, and vowels of a synthetic voice.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.signal import lfilter
from torch import Tensor

import clarion
from datamodules.sources.synthetic import SyntheticSource
from lightning_modules.metrics.lsd import lsd
from lightning_modules.metrics.probes.preecho import preecho_db
from lightning_modules.metrics.probes.subject import Pairs, Subject
from lightning_modules.runs.shipped import DESCRIPTION, FOLDER, WEIGHTS, shipped_names

RATE_HZ = 44_100
NOISE_DB = 10.0
SCORES = {"denoise_music": ("music", 24.10), "denoise_speech": ("voice", 24.05)}
"""SI-SDR in dB of the excerpt at NOISE_DB, restored by the model as it was when it was written."""
LOW_RATE_HZ = 16_000
DISTANCES = {"extend_music": ("music", 1.444)}
"""LSD of the excerpt from LOW_RATE_HZ, restored by the model as it was when it was written."""
KINDS = {name: kind for name, (kind, _) in (SCORES | DISTANCES).items()}
LARGEST_BYTES = 5_000_000


@cache
def music() -> Tensor:
    """Return ten seconds of rendered music, (1, T)."""
    return SyntheticSource("unused", RATE_HZ, 3, 10.0).render(0)


@cache
def voice() -> Tensor:
    """Return ten seconds of syllables, (1, T): pulses of a gliding pitch through three resonances, every third one a pause."""
    draw, count = np.random.default_rng(0), RATE_HZ // 4
    syllables = []
    for number in range(40):
        pitch_hz = np.linspace(*draw.uniform(100, 200, 2), count)
        pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE_HZ), prepend=0)
        for center_hz in draw.uniform([300, 900, 2300], [800, 2200, 3500]):
            radius, angle = np.exp(-np.pi * 80 / RATE_HZ), 2 * np.pi * center_hz / RATE_HZ
            pulses = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], pulses)
        syllables.append(pulses * np.hanning(count) * (number % 3 > 0))
    signal = np.concatenate(syllables)
    return torch.from_numpy(0.3 * signal / np.abs(signal).max())[None]


EXCERPTS = {"music": music, "voice": voice}


def si_sdr_db(found: Tensor, clean: Tensor) -> float:
    """Return the scale-invariant signal-to-distortion ratio by its definition (arXiv 1811.02508)."""
    target = (found * clean).sum() / clean.square().sum() * clean
    return float(10 * torch.log10(target.square().sum() / (found - target).square().sum()))


def noisy(clean: Tensor) -> Tensor:
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0), dtype=clean.dtype)
    return clean + noise * (clean.square().mean() / noise.square().mean() * 10 ** (-NOISE_DB / 10)).sqrt()


def test_every_shipped_model_has_its_stored_scores() -> None:
    assert sorted(KINDS) == shipped_names()


@pytest.mark.parametrize("name", KINDS)
def test_model_is_small_and_told_of(name: str) -> None:
    folder = FOLDER / name
    assert sorted(path.name for path in folder.iterdir()) == ["ATTRIBUTIONS.md", "README.md", DESCRIPTION, WEIGHTS]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= LARGEST_BYTES
    config = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
    assert f"{config['data']['sample_rate']:,} Hz" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCORES)
def test_excerpt_is_restored_as_well_as_when_the_model_was_written(name: str) -> None:
    kind, stored_db = SCORES[name]
    clean = EXCERPTS[kind]()
    corrupted = noisy(clean)
    assert si_sdr_db(corrupted, clean) == pytest.approx(NOISE_DB, abs=0.1)
    restored = clarion.load(name, device="cpu")(corrupted, RATE_HZ)
    assert si_sdr_db(restored, clean) == pytest.approx(stored_db, abs=0.1)
    assert si_sdr_db(restored, clean) > si_sdr_db(clarion.load("wiener", device="cpu")(corrupted, RATE_HZ), clean)
    assert level_above_8_khz_db(restored - clean) < level_above_8_khz_db(corrupted - clean) - 10


def above(signal: Tensor, cutoff_hz: float) -> Tensor:
    """Return what of (1, T) lies above a frequency in Hz."""
    spectrum = torch.fft.rfft(signal)
    spectrum[..., : int(cutoff_hz / RATE_HZ * signal.shape[-1])] = 0
    return torch.fft.irfft(spectrum, signal.shape[-1])


def level_above_8_khz_db(signal: Tensor) -> float:
    spectrum = torch.fft.rfft(signal)
    return float(20 * torch.log10(spectrum[..., int(8000 / RATE_HZ * signal.shape[-1]) :].abs().square().mean().sqrt()))


@pytest.mark.parametrize("name", SCORES)
def test_noise_before_a_sudden_sound_is_taken_out_like_any(name: str) -> None:
    restorer = clarion.load(name, device="cpu")
    subject = Subject(lambda signal: restorer(signal, RATE_HZ), RATE_HZ, 1, Pairs([], {}))
    assert preecho_db(subject) < 3


@pytest.mark.parametrize("name", DISTANCES)
def test_band_of_the_excerpt_is_filled_as_well_as_when_the_model_was_written(name: str) -> None:
    kind, stored = DISTANCES[name]
    clean = EXCERPTS[kind]()
    narrow = clean - above(clean, LOW_RATE_HZ / 2)
    restored = clarion.load(name, device="cpu")(narrow, RATE_HZ)
    distances = [lsd(signal.reshape(1, 1, -1).float(), clean.reshape(1, 1, -1).float()).item() for signal in (restored, narrow)]
    assert distances[0] == pytest.approx(stored, abs=0.02) and distances[0] < distances[1]
    given = 0.9 * LOW_RATE_HZ / 2
    kept, was = (signal - above(signal, given) for signal in (restored, clean))
    assert si_sdr_db(kept, was) > 50


@pytest.mark.parametrize("name", KINDS)
def test_excerpt_that_needs_nothing_is_left_alone(name: str) -> None:
    clean = EXCERPTS[KINDS[name]]()
    assert si_sdr_db(clarion.load(name, device="cpu")(clean, RATE_HZ), clean) > 35


@pytest.mark.parametrize("rate_hz", [8000, 48_000, 96_000])
@pytest.mark.parametrize("name", KINDS)
def test_stereo_of_any_rate_comes_back_in_its_form(name: str, rate_hz: int, tmp_path: Path) -> None:
    signal = 0.1 * torch.randn(2, rate_hz + 7, generator=torch.Generator().manual_seed(0))
    restored = clarion.load(name, device="cpu")(signal, rate_hz)
    assert restored.shape == signal.shape and restored.isfinite().all()
