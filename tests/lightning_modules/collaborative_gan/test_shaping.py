"""The stages of a training, shaping of the discriminator last, and mistakes by name."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.training.shaping import Shaping
from models.refinement import Refinement
from models.streaming.restoration import RestorationStream, Settings
from tests.lightning_modules.collaborative_gan.conftest import QUIET, Examples, make, same, state_of


def test_adversarial_stage_trains_both_and_shaping_the_discriminator_alone_at_its_lower_rate() -> None:
    module = make()
    states: list[tuple[dict[str, Tensor], dict[str, Tensor]]] = []

    class Watch(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            assert module.discriminator is not None
            states.append((state_of(module.net), state_of(module.discriminator)))

    trainer = pl.Trainer(max_epochs=3, callbacks=[Watch()], log_every_n_steps=1, **QUIET)
    trainer.fit(module, datamodule=Examples())
    assert module.discriminator is not None
    states.append((state_of(module.net), state_of(module.discriminator)))
    moved = [tuple(not same(before, after) for before, after in zip(*pair, strict=True)) for pair in pairwise(states)]
    assert moved == [(True, True), (False, True), (False, True)]
    assert [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers] == pytest.approx([1e-3, 1e-4])


def test_shaping_ends_by_its_own_rule() -> None:
    module = make(shaping=Shaping(after_epochs=0, patience=1, min_delta=0.99))
    trainer = pl.Trainer(max_epochs=50, log_every_n_steps=1, **QUIET)
    trainer.fit(module, datamodule=Examples())
    assert trainer.current_epoch == 2  # one to set the best, one that gains less than 99 %


def test_shaping_that_had_ended_before_a_run_was_resumed_is_not_repeated(tmp_path: Path) -> None:
    settings = {"shaping": Shaping(after_epochs=0, patience=1, min_delta=0.99)}
    trainer = pl.Trainer(max_epochs=50, log_every_n_steps=1, **QUIET)
    trainer.fit(make(**settings), datamodule=Examples())
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    resumed, module = pl.Trainer(max_epochs=50, log_every_n_steps=1, **QUIET), make(shaping=Shaping(patience=1))
    resumed.fit(module, datamodule=Examples(), ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert resumed.current_epoch == trainer.current_epoch == 2
    assert trainer.lightning_module is not None
    assert same(state_of(module), state_of(trainer.lightning_module))


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_discriminator_whose_rate_is_zero_stays_as_it_is(norm: str) -> None:
    module = make(norm=norm, shaping=Shaping(after_epochs=0, rate_factor=0.0))
    assert module.discriminator is not None
    before = state_of(module.discriminator)
    pl.Trainer(max_epochs=2, log_every_n_steps=1, **QUIET).fit(module, datamodule=Examples())
    assert same(before, state_of(module.discriminator))


def test_generator_that_is_frozen_is_the_average_that_is_evaluated() -> None:
    module, average, frozen = make(), WeightEMA(0.9), {}

    class Watch(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            frozen[trainer.current_epoch] = {name: value.clone() for name, value in average.average_of("net").items()}

    trainer = pl.Trainer(max_epochs=3, callbacks=[average, Watch()], log_every_n_steps=1, **QUIET)
    trainer.fit(module, datamodule=Examples())
    assert not same(frozen[0], frozen[1])
    assert same(frozen[1], frozen[2])
    assert same(frozen[1], state_of(module.net))


def test_samples_to_shape_with_are_of_every_degree(monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning_modules import collaborative_gan

    drawn: list[int] = []
    training: set[bool] = set()

    def record(visits: Any, steps: Tensor) -> Tensor:
        drawn.extend(steps.tolist())
        training.update(network.training for name in ("net", "discriminator") for network in getattr(module, name).modules())
        return next(visits).signal  # type: ignore[no-any-return]

    monkeypatch.setattr(collaborative_gan, "at_steps", record)
    module = make(refinement=Refinement(steps=1), shaping=Shaping(after_epochs=0, patience=30))
    pl.Trainer(max_epochs=1, log_every_n_steps=1, **QUIET).fit(module, datamodule=Examples())
    assert len(drawn) == 8
    assert set(drawn) == {0, 1}
    assert training == {False}  # they are refined as they are when restoring: without dropout


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss_weights": {"l2": 1.0}}, "needs a discriminator: give model.loss_weights.adversarial"),
        ({"layer": 1.5}, "model.layer=1.5 must lie between 0"),
        ({"proximity": -1.0}, "model.proximity=-1.0 must be a number, at least 0"),
        ({"low_band": float("nan"), "low_band_hz": 1e3}, "model.low_band=nan must be a number, at least 0"),
        ({"low_band": 1.0, "low_band_hz": 2000.0}, "model.low_band_hz.* between 0 and 2000; got 2000.0"),
        ({"layer": 4}, "model.layer=4 must lie between 0, the bottleneck, and 3, the restored signal"),
        ({"low_band": 1.0}, "model.low_band=1.0 needs model.low_band_hz"),
    ],
)
def test_mistake_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


@torch.no_grad()
def test_chunks_of_a_long_signal_are_refined_as_the_whole_is_also_where_they_join() -> None:
    module = make(refinement=Refinement(steps=3, step_size=0.05)).eval()
    signal = 0.1 * torch.randn(1, 160000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, whole = (method.restore(signal[None].float())[0].double() for method in (module.with_num_steps(0), module))
    stream = RestorationStream(module.restore, module.chunking(), 4000, 4000, 1, Settings())
    with torch.inference_mode():
        in_chunks = torch.cat([stream.push(signal), stream.flush()], dim=-1)
    torch.testing.assert_close(in_chunks, whole, atol=1e-6, rtol=0)
    at_once = module._refine(signal[None].float())[0].double()
    power, error = (whole - first).square().mean(), (whole - at_once).square()
    joins = torch.arange(module.chunking().hop_samples, signal.shape[-1] - 4000, module.chunking().hop_samples) + 2000
    assert error.mean() < 0.01 * power
    assert torch.stack([error[0, join - 32 : join + 32].mean() for join in joins]).mean() < 0.01 * power


@torch.no_grad()
def test_the_last_of_the_steps_of_a_long_signal_is_what_is_restored() -> None:
    module = make(refinement=Refinement(steps=2, step_size=0.05)).eval()
    signal = 0.1 * torch.randn(1, 1, 70001, generator=torch.Generator().manual_seed(0))
    assert module.estimates(signal).shape == (3, 1, 1, 70001)
    assert torch.equal(module.estimates(signal)[-1], module.restore(signal))


@pytest.mark.parametrize(("after_epochs", "told"), [(1, True), (0, False)])
def test_run_too_short_to_shape_says_so(caplog: pytest.LogCaptureFixture, after_epochs: int, told: bool) -> None:
    module = make(shaping=Shaping(after_epochs=after_epochs))
    pl.Trainer(max_epochs=1, log_every_n_steps=1, **QUIET).fit(module, datamodule=Examples())
    sentence = "the discriminator was never shaped: model.shaping.after_epochs=1, and the run had 1 epochs"
    assert (sentence in caplog.messages) == told
