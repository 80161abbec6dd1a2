"""What holds on one GPU, written for any device: bf16 trains like float32, one rank of DDP like none, jobs share a card."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor

from datamodules.corruptions.noise import Noise
from lightning_modules.runs.checkpoint import read_checkpoint
from tests.datamodules.corruptions import test_all_configs as all_corruptions
from tests.models.small import description, shrunk, untrained, with_weights
from tests.one_gpu import ACCELERATORS, PLACES
from tests.sweeps.conftest import QUICK, ROOT, SMALL

RATE_HZ = 16000
recorded = all_corruptions.recorded


def pairs(place: str) -> tuple[Tensor, Tensor]:
    """Return noise (4, 1, 8192), and the same without the upper three quarters of its band."""
    clean = 0.1 * torch.randn(4, 1, 8192, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(clean)
    spectrum[..., spectrum.shape[-1] // 4 :] = 0
    return clean.to(place), torch.fft.irfft(spectrum).to(place)


def losses(name: str, place: str, mixed: bool, steps: int = 10) -> list[float]:
    """Return the mean squared errors of so many steps of Adam on one batch."""
    torch.manual_seed(0)
    module = with_weights(untrained(shrunk(description(name)))).to(place).train()
    optimizer = torch.optim.Adam(module.net.parameters(), lr=1e-3)
    clean, corrupted = pairs(place)
    found = []
    for _ in range(steps):
        with torch.autocast(place, torch.bfloat16, enabled=mixed):
            restored = module.restore(corrupted)
        loss = (restored - clean).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["unet_small", "mask_net", "band_net"])
def test_bf16_trains_like_float32(name: str, place: str) -> None:
    exact, rounded = (losses(name, place, mixed) for mixed in (False, True))
    assert rounded == pytest.approx(exact, rel=0.05)
    assert rounded != exact
    assert rounded[-1] < rounded[0]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", all_corruptions.NAMES)
def test_corruption_on_the_device_is_that_of_the_cpu(name: str, place: str, recorded: Path) -> None:
    clean = 0.1 * torch.randn(4, 2, 6000, generator=torch.Generator().manual_seed(0)).cumsum(-1) / 10
    corruption = all_corruptions.subject_of(name, recorded).corruption
    expected = corruption(clean, RATE_HZ, torch.Generator().manual_seed(1))
    there = corruption(clean.to(place), RATE_HZ, torch.Generator().manual_seed(1))
    assert there.device.type == place
    error = (there.cpu() - expected).square().mean() / expected.square().mean()
    assert error < 1e-6  # -60 dB: of rounding, also where a quantizer rounds another way


@pytest.mark.parametrize("place", PLACES)
def test_noise_drawn_on_the_device_has_the_level_asked_for(place: str) -> None:
    clean, _ = pairs(place)
    noise = Noise(colors="white", snr_db=5.0)
    noisy = [noise(clean, RATE_HZ, torch.Generator(place).manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(noisy[0], noisy[1]) and not torch.equal(noisy[0], noisy[2])
    powers = [(signal - signal.mean(-1, keepdim=True)).square().mean(-1) for signal in (clean, noisy[0] - clean)]
    assert (10 * torch.log10(powers[0] / powers[1])).flatten().tolist() == pytest.approx([5.0] * 4, abs=0.05)


def trained(folder: Path, tiny: list[str], place: str, *overrides: str) -> dict[str, Tensor]:
    """Train for two epochs in a process of its own; return the weights at the end."""
    where = [f"hydra.run.dir={folder}", f"trainer.accelerator={ACCELERATORS[place]}", "trainer.devices=1"]
    exact = ["trainer.precision=32-true", "trainer.max_epochs=2", "model.net.dropout=0"]
    command = [sys.executable, "train.py", *tiny, *SMALL, *QUICK, *where, *exact, *overrides]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    weights: dict[str, Tensor] = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    return weights


@pytest.mark.parametrize("place", PLACES)
def test_one_rank_of_ddp_ends_with_the_weights_of_none(place: str, tiny: list[str], tmp_path: Path) -> None:
    alone = trained(tmp_path / "alone", tiny, place)
    ranked = trained(tmp_path / "ranked", tiny, place, "trainer.strategy=ddp")
    assert list(ranked) == list(alone)
    for name, value in alone.items():
        torch.testing.assert_close(ranked[name], value, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.skipif(find_spec("ray") is None, reason="needs the sweeps extra")
def test_two_jobs_share_one_device(place: str, tiny: list[str], tmp_path: Path) -> None:
    share = {"cpu": "+hydra.launcher.ray.remote.num_cpus=1", "cuda": "+hydra.launcher.ray.remote.num_gpus=0.5"}[place]
    cluster = ["hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"]
    jobs = [f"hydra.sweep.dir={tmp_path}", f"trainer.accelerator={ACCELERATORS[place]}", "seed=0,1"]
    command = [sys.executable, "train.py", "-m", *tiny, *SMALL, *QUICK, *cluster, share, *jobs]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads((tmp_path / name / "result.json").read_text(encoding="utf-8")) for name in "01"]
    assert [result["status"] for result in results] == ["finished"] * 2
