"""What runs where a batch is keeps to what Apple's MPS has: no double precision, no operator without a kernel there.

A make-believe device (device_like_mps.py) stands for MPS. It computes what the CPU computes: results have to be equal bit by bit.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import soundfile
import torch
from torch import Tensor, nn

import clarion
import restore
from conf.declared import declared
from conf.settings import EvaluateSettings, TrainSettings
from datamodules.corruptions import Corruption
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.opening import stream_of
from lightning_modules.commands.train import train
from lightning_modules.losses.reconstruction import RECONSTRUCTION_LOSSES, ReconstructionLoss
from lightning_modules.metrics.collection import build_metrics, update_all
from lightning_modules.metrics.cost import real_time_factor
from lightning_modules.metrics.registry import METRICS
from models.dilated_denoiser import SoundClassifier
from models.refinement import low_band_proximity
from models.streaming.fir import StreamingFilter, highpass_taps, lowpass_taps
from models.streaming.restoration import Settings
from tests import device_like_mps as make_believe
from tests.datamodules.corruptions import test_all_configs as all_corruptions
from tests.device_like_mps import Held
from tests.models.small import description, fresh, names, shrunk, untrained, with_weights
from tests.models.training import OneBatch, channels_of, pairs

RATE_HZ = 16000
CPU_UNDER_MPS = pytest.mark.filterwarnings("ignore:GPU available but not used")
recorded = all_corruptions.recorded


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class InDouble(Corruption):
    """Filters in double precision where the batch is."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return (0.5 * clean.double()).float()


class WithTable(Corruption):
    """Leaves its table on the CPU."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean * torch.hann_window(clean.shape[-1])


def corrupted_alike(corruption: Corruption, device: torch.device, seed: int) -> bool:
    clean = 0.1 * draw(8, 2, 6000).cumsum(-1) / 10
    expected = corruption(clean, RATE_HZ, torch.Generator().manual_seed(seed))
    there = corruption(clean.to(device), RATE_HZ, torch.Generator().manual_seed(seed))
    return isinstance(there, Held) and torch.equal(there.cpu(), expected)


@pytest.mark.parametrize("corruption", [InDouble(), WithTable()])
def test_faulty_corruption_is_seen(corruption: Corruption, device: torch.device) -> None:
    with pytest.raises((TypeError, RuntimeError), match="MPS|same device"):
        corrupted_alike(corruption, device, 0)


@pytest.mark.parametrize("name", all_corruptions.NAMES)
def test_corruption_stays_on_the_device(name: str, recorded: Path, device: torch.device) -> None:
    corruption = all_corruptions.subject_of(name, recorded).corruption
    assert all(corrupted_alike(corruption, device, seed) for seed in range(3))


TRAINED = [name for name in names() if declared(description(name)["_target_"], "needs_training")]


class Kinds(pl.Callback):
    """Note what kinds of tensors the weights are at the end of a training."""

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seen = {type(parameter) for parameter in pl_module.parameters()}


def trained(name: str, accelerator: str) -> tuple[dict[str, float], set[type]]:
    """Return what a method logs in a training of two batches with a validation, and the kinds of its weights."""
    module, kinds = fresh(shrunk(description(name))), Kinds()
    data = OneBatch(2, channels_of(module))
    module.prepare_training()
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    bounds = {"max_epochs": 1, "limit_val_batches": 1, "num_sanity_val_steps": 0}
    trainer = pl.Trainer(accelerator=accelerator, devices=1, callbacks=[kinds], **bounds, **quiet)
    trainer.fit(module, data)
    return {key: float(value) for key, value in trainer.callback_metrics.items()}, kinds.seen


@CPU_UNDER_MPS
@pytest.mark.parametrize("name", TRAINED)
def test_method_trains_on_the_device(name: str, mac: torch.device) -> None:
    expected, _ = trained(name, "cpu")
    on_device, kinds = trained(name, "mps")
    assert kinds == {Held}
    assert on_device == pytest.approx(expected, rel=0, abs=0, nan_ok=True) and expected


@pytest.mark.parametrize("name", names())
def test_method_restores_on_the_device(name: str, device: torch.device) -> None:
    module = with_weights(untrained(shrunk(description(name))))
    batch = pairs(channels_of(module))
    with torch.inference_mode():
        expected = module.restore_pair(batch["corrupted"], batch["clean"])
        there = module.to(device).restore_pair(batch["corrupted"].to(device), batch["clean"].to(device))
    recurrent = any(isinstance(layer, nn.RNNBase) for layer in module.modules())  # which a CPU adds up in its own order
    torch.testing.assert_close(there.cpu(), expected, rtol=0, atol=1e-6 if recurrent else 0)
    assert isinstance(there, Held)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_loss_and_its_gradient_are_computed_on_the_device(name: str, device: torch.device) -> None:
    clean, restored = draw(2, 1, 4000), draw(2, 1, 4000, seed=1)
    results = []
    for place in ("cpu", device):
        signal = restored.clone().to(place).requires_grad_()
        loss = ReconstructionLoss({name: 1.0}).to(place)
        if loss.deep_feature is not None:
            torch.manual_seed(0)
            loss.deep_feature.ask(SoundClassifier(layers=6, channels=4, tasks=1, classes=2))
        terms = loss.terms(signal, clean.to(place))
        terms[name].backward()
        assert signal.grad is not None
        results.append((terms[name].detach().cpu(), signal.grad.cpu()))
    assert all(torch.equal(here, there) for here, there in zip(*results, strict=True))


def test_metrics_are_taken_of_signals_on_the_device(device: torch.device) -> None:
    offered = [name for name, info in METRICS.items() if info.package is None]
    clean, noise = draw(2, 1, 8000), draw(2, 1, 8000, seed=1)
    restored = clean + 1e-5 * noise  # 100 dB, which differences of energies in single precision would not tell
    expected = update_all(build_metrics(offered, RATE_HZ, 2000.0), restored, clean)
    metrics = {name: metric.to(device) for name, metric in build_metrics(offered, RATE_HZ, 2000.0).items()}
    there = update_all(metrics, restored.to(device), clean.to(device))
    assert there.keys() == expected.keys()
    for name, values in there.items():
        assert values.tolist() == pytest.approx(expected[name].tolist(), rel=0, abs=0, nan_ok=True), name
    assert expected["si_sdr_db"].tolist() == pytest.approx(
        [exact_si_sdr_db(*pair) for pair in zip(restored, clean, strict=True)], abs=0.05
    )


def exact_si_sdr_db(restored: Tensor, clean: Tensor) -> float:
    x, y = (signal.double().numpy() - signal.double().numpy().mean() for signal in (restored, clean))
    target = (x * y).sum() / (y * y).sum() * y
    return float(10 * np.log10((target**2).sum() / ((x - target) ** 2).sum()))


def test_low_band_penalty_and_filter_run_for_signals_on_the_device(device: torch.device) -> None:
    corrupted, signal = draw(2, 1, 2000), draw(2, 1, 2000, seed=1)
    taps = lowpass_taps(1000.0, RATE_HZ)
    expected = low_band_proximity(corrupted, taps)(signal)
    assert torch.equal(low_band_proximity(corrupted.to(device), taps)(signal.to(device)).cpu(), expected)
    here, there = (StreamingFilter(highpass_taps(1000.0, RATE_HZ)) for _ in range(2))
    there_filtered = torch.cat([there.push(signal.to(device)), there.flush()], dim=-1)
    assert torch.equal(there_filtered.cpu(), torch.cat([here.push(signal), here.flush()], dim=-1))


def test_long_signal_is_restored_in_segments_on_the_device(device: torch.device) -> None:
    module = untrained(description("noise_fill"))
    signal = 0.1 * draw(1, 1, module.net.segments.limit_samples + 1000)
    with torch.inference_mode():
        expected = module.restore(signal)
        assert torch.equal(module.to(device).restore(signal.to(device)).cpu(), expected)


def test_stream_goes_to_the_device_and_comes_back(device: torch.device) -> None:
    signal, settings = 0.1 * draw(2, 30_000).double(), Settings(strength=0.7, keep_low_band_hz=300.0)
    results = []
    for place in ("cpu", device):
        module = with_weights(untrained(shrunk(description("unet_small")))).to(place)
        stream = stream_of(module, 5000, 2, settings)
        with torch.inference_mode():
            results.append(torch.cat([*(stream.push(block) for block in signal.split(5000, dim=-1)), stream.flush()], dim=-1))
    assert results[1].dtype == torch.float64 and torch.equal(*results)


def test_arrays_on_the_device_are_damaged_restored_and_scored(mac: torch.device) -> None:
    clean = 0.1 * draw(1, RATE_HZ)
    damaged = clarion.corrupt(clean.to(mac), RATE_HZ, "noise", snr_db=5)
    restored = clarion.load("wiener", device="mps")(damaged, RATE_HZ)
    assert isinstance(damaged, Held) and isinstance(restored, Held)
    expected = clarion.load("wiener", device="cpu")(clarion.corrupt(clean, RATE_HZ, "noise", snr_db=5), RATE_HZ)
    assert torch.equal(restored.cpu(), expected)
    assert clarion.score(restored, clean.to(mac), RATE_HZ) == pytest.approx(clarion.score(expected, clean, RATE_HZ), nan_ok=True)


def test_speed_is_measured_after_the_device_has_finished(monkeypatch: pytest.MonkeyPatch, mac: torch.device) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append(True))
    module, signal = untrained(description("sinc")), draw(1, 1, 512).to(mac)
    assert real_time_factor(module.to(mac), signal, signal) > 0
    assert len(waited) == 2


SMALL = ("model=unet_small", "model.net.depth=2", "model.net.channels=[6,8]", "model.net.kernels=[9,5]", "trainer.max_epochs=1")
ON_DEVICE = ("trainer.accelerator=auto", "trainer.precision=auto")


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of every operator that the device is asked for."""
    asked: list[str] = []
    inner = make_believe._refuse
    monkeypatch.setattr(make_believe, "_refuse", lambda func, *rest: (asked.append(str(func)), inner(func, *rest)))
    return asked


@CPU_UNDER_MPS
def test_default_training_runs_on_the_device(
    train_config: Callable[..., TrainSettings], mac: torch.device, count: list[str]
) -> None:
    damage = ("corruption=super_resolution", "corruption.low_rate_hz=[900,1500]")
    few = [f"trainer.limit_{part}_batches={count}" for part, count in (("train", 2), ("val", 1), ("test", 1))]
    quick = ("baselines=[noise_fill]", "examples=0", *few)
    there = train(train_config(*SMALL, *damage, *quick, *ON_DEVICE, run="there"))
    assert "aten.convolution_backward.default" in count and "aten._fft_c2r.default" in count
    here = train(train_config(*SMALL, *damage, *quick, "trainer.precision=32-true", run="here"))
    assert not there.get("problems") and there["manifest_hash"] == here["manifest_hash"]
    assert there["metrics"] == pytest.approx(here["metrics"], rel=0, abs=0, nan_ok=True)


def test_evaluation_and_restoring_run_on_the_device(
    evaluate_config: Callable[..., EvaluateSettings], mac: torch.device, count: list[str], tmp_path: Path
) -> None:
    result = evaluate(evaluate_config("model=noise_fill", "baselines=[wiener]", "examples=1", "trainer.accelerator=mps"))
    assert not result.get("problems") and count
    count.clear()
    soundfile.write(tmp_path / "a.wav", 0.1 * draw(RATE_HZ).numpy(), RATE_HZ)
    assert restore.main(["wiener", str(tmp_path / "a.wav"), "-o", str(tmp_path / "out"), "--device", "mps"]) == 0
    assert count and (tmp_path / "out" / "a.wav").exists()
