"""Every corruption, method without training and metric at the rates people have, and at some nobody expects."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_module
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from conf.compose import baselines
from conf.compose import instantiate as build
from conf.schema.own_controls import OWN
from datamodules.corruptions import Corruption
from datamodules.corruptions.codec import MP3_KBPS
from datamodules.sources.synthetic import SyntheticSource
from lightning_modules.metrics.availability import offered_metrics
from lightning_modules.metrics.collection import build_metrics
from lightning_modules.metrics.registry import computed_in

FOLDER = Path(__file__).parents[1] / "conf"
FOREIGN = {"torchaudio", "callable"}
"""Corruptions by other people's code, which has its own tests."""
CORRUPTIONS = sorted(path for path in (FOLDER / "corruption").glob("*.yaml") if path.stem not in FOREIGN)
LATE = {"echo", "freeverb"}
"""Whose first change comes later than the shortest signals end."""
DEFAULT_BASELINES = [name for name in OmegaConf.load(FOLDER / "train.yaml").baselines if name != OWN]
CLASSICAL = sorted(
    path.stem for path in (FOLDER / "model").glob("*.yaml") if "models.classical." in path.read_text(encoding="utf-8")
)

COSTLY = {"line_enhancer_rls"}
"""Whose cost grows with the third power of the rate."""
FAST = (11025, 24000, 44100, 48000)
USUAL = (4000, 8000, 12000, 16000, 22050, 32000, 64000, 88200, 96000, 176400, 192000, 200000)
ODD = (4001, 5512, 7350, 9999, 22255, 37800, 44056, 47999, 50000, 65521)
RATES = [*FAST, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (*USUAL, *ODD))]
MP3_RATES = {rate for rates in MP3_KBPS for rate in rates}


def refused(corruption: str, sample_rate: int) -> bool:
    """Tell where the default of a corruption makes no sense."""
    return (
        (corruption in ("codec", "everyday_noise", "everyday_bandwidth") and sample_rate not in MP3_RATES)
        or (corruption == "super_resolution" and sample_rate <= 4000)
        or (corruption == "restore" and sample_rate <= 4000)
        or (corruption == "telephone" and sample_rate < 8000)
    )


def load(path: Path, sample_rate: int) -> Corruption:
    config = OmegaConf.create({"data": {"sample_rate": sample_rate}, "corruption": OmegaConf.load(path)})
    return instantiate(config.corruption, _execution_whitelist_="datamodules.corruptions.*")


def clean_batch(sample_rate: int, seconds: float = 1.0) -> Tensor:
    """Render two examples that fall towards high frequencies and swell like speech, and a silent one, (3, 1, T)."""
    samples = round(seconds * sample_rate)
    spectrum = torch.fft.rfft(torch.randn(3, 1, samples, generator=torch.Generator().manual_seed(0)))
    frequency_hz = torch.arange(spectrum.shape[-1]) * sample_rate / samples
    swell = 1.1 + torch.sin(2 * torch.pi * 4 * torch.arange(samples) / sample_rate)
    noise = torch.fft.irfft(spectrum / (1 + frequency_hz / 1000), n=samples) * swell
    return 0.5 * noise / noise.abs().amax((1, 2), keepdim=True) * torch.tensor([1.0, 0.1, 0.0])[:, None, None]


def damaged(sample_rate: int, seconds: float = 1.0) -> dict[str, Tensor]:
    """Corrupt a batch by each corruption that works at a rate."""
    paths = [path for path in CORRUPTIONS if not refused(path.stem, sample_rate)]
    seed = torch.Generator().manual_seed(1)
    clean = clean_batch(sample_rate, seconds)
    return {"nothing": clean} | {path.stem: load(path, sample_rate)(clean, sample_rate, seed) for path in paths}


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("path", CORRUPTIONS, ids=lambda path: path.stem)
def test_every_corruption_works_or_says_which_key_does_not(path: Path, sample_rate: int) -> None:
    corruption = load(path, sample_rate)
    if refused(path.stem, sample_rate):
        with pytest.raises(ValueError, match=rf"^corruption\.\w.*=.*data\.sample_rate={sample_rate}\b.*: \w+"):
            corruption.check_under("corruption", sample_rate, 1)
        return
    corruption.check_under("corruption", sample_rate, 1)
    for seconds in (0.002, 0.5):
        clean = clean_batch(sample_rate, seconds)
        corrupted = corruption(clean, sample_rate, torch.Generator().manual_seed(1))
        assert corrupted.shape == clean.shape
        assert torch.isfinite(corrupted).all()
        assert torch.equal(corrupted, clean) == (path.stem == "none" or (path.stem in LATE and seconds < 0.01))


@pytest.mark.parametrize("sample_rate", RATES)
def test_default_baselines_keep_the_length_of_whatever_was_done(sample_rate: int) -> None:
    for seconds in (0.002, 0.6):
        struck = [batch[:1] for batch in damaged(sample_rate, seconds).values()]
        corrupted = torch.cat([clean_batch(sample_rate, seconds), *struck])
        for name, method in baselines(DEFAULT_BASELINES, sample_rate).items():
            restored = method.restore(corrupted)
            assert restored.shape == corrupted.shape, name
            assert torch.isfinite(restored).all(), name


OF_PARTIALS = "partials_db"
"""Has a value only where tones last above the cut-off."""


@pytest.mark.parametrize("sample_rate", RATES)
def test_every_metric_has_a_value(sample_rate: int) -> None:
    pytest.importorskip("pesq")
    clean = clean_batch(sample_rate)
    metrics = build_metrics(computed_in("test"), sample_rate, 0.2 * sample_rate)
    assert set(metrics) == set(offered_metrics(sample_rate))
    assert ("stoi" in metrics, "pesq_wb" in metrics) == (sample_rate >= 8000, sample_rate >= 16000)
    for what, corrupted in damaged(sample_rate).items():
        for name, metric in metrics.items():
            values = metric.function(corrupted, clean)
            assert values.shape == (3,), (name, what)
            assert torch.isfinite(values[:2]).all() or name == OF_PARTIALS, (name, what)


@pytest.mark.parametrize(
    ("model", "sample_rate"),
    [
        pytest.param(model, rate, marks=() if rate in FAST and model not in COSTLY else pytest.mark.slow)
        for model in CLASSICAL
        for rate in (*FAST, *USUAL, *ODD)
    ],
)
def test_every_network_that_knows_its_rate_keeps_the_length(model: str, sample_rate: int) -> None:
    with initialize_config_module("conf"):
        module: Any = build(compose("train", [f"model={model}", f"data.sample_rate={sample_rate}"]).model).eval()
    for samples in (1, 7, sample_rate // 4):
        clean = clean_batch(sample_rate)[..., :samples].repeat(1, module.net.channels or 1, 1)
        with torch.no_grad():
            restored = module.restore_pair(0.5 * clean, clean)
        assert restored.shape == clean.shape
        assert torch.isfinite(restored).all()


@pytest.mark.parametrize("sample_rate", RATES)
def test_synthetic_music_is_made_at_every_rate(tmp_path: Path, sample_rate: int) -> None:
    music = SyntheticSource(str(tmp_path), sample_rate, recordings=3, seconds=1.0).render(0)
    assert music.shape == (sample_rate,)
    assert torch.isfinite(music).all() and 0.2 < music.abs().max() < 0.75
