"""The collaborative GAN: what refinement keeps, and what shaping moves."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.collaborative_gan import CollaborativeGANModule
from lightning_modules.training.shaping import Shaping
from models.discriminator import Discriminator
from models.mugan import MUGANGenerator
from models.refinement import Refinement
from models.streaming.restoration import RestorationStream, Settings

QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


class Examples(pl.LightningDataModule):
    """Four pairs at 4 kHz, two channels: noise, and the noise with other noise on it."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def train_dataloader(self) -> DataLoader[Any]:
        draw = torch.Generator().manual_seed(0)
        clean, noise = torch.randn(2, 4, 2, 4096, generator=draw)
        pairs = [{"clean": clean[n], "corrupted": clean[n] + 0.3 * noise[n], "index": n} for n in range(4)]
        return DataLoader(pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = test_dataloader = train_dataloader


def make(norm: str = "batch", **settings: Any) -> CollaborativeGANModule:
    """Return a module whose generator changes its input and whose networks drop out and normalize over the batch."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    net = MUGANGenerator(depth=2, filters=(8, 8), kernels=(3,), dropout=0.5)
    nn.init.normal_(net.last.weight, std=0.1)
    defaults: dict[str, Any] = {
        "refinement": Refinement(steps=4, step_size=0.2),
        "layer": 1,
        "shaping": Shaping(after_epochs=1, rate_factor=0.1, patience=1),
        "loss_weights": {"l2": 1.0, "adversarial": 0.1},
    }
    return CollaborativeGANModule(
        net=net,
        sample_rate=4000,
        discriminator=partial(Discriminator, depth=2, filters=(4, 4, 4), kernels=(3,), norm=norm),
        autoencoder=nn.Identity,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        autoencoder_optimizer=adam,
        **(defaults | settings),
    )


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


CORRUPTED = torch.randn(2, 2, 301, generator=torch.Generator().manual_seed(1))


def logit(module: CollaborativeGANModule, signal: Tensor) -> Tensor:
    """Return D's mean logit of every channel, (B * C,)."""
    assert module.discriminator is not None
    return module.discriminator(signal, CORRUPTED)[0].mean(dim=(1, 2))


@torch.no_grad()
def test_no_steps_are_the_generator_bit_for_bit() -> None:
    module = make().eval()
    assert torch.equal(module.with_num_steps(0).restore(CORRUPTED), module.net(CORRUPTED))


@torch.no_grad()
def test_refined_signals_please_the_discriminator_at_least_as_well_with_every_step() -> None:
    module = make().eval()
    estimates = module.estimates(CORRUPTED)
    logits = torch.stack([logit(module, signal) for signal in estimates])
    assert estimates.shape == (5, 2, 2, 301)
    assert (logits[1:] >= logits[:-1] - 1e-5).all()
    assert (logits[-1] > logits[0]).all()
    assert torch.equal(estimates[0], module.net(CORRUPTED))
    assert torch.equal(estimates[-1], module.restore(CORRUPTED))
    assert torch.equal(estimates[2], module.with_num_steps(2).restore(CORRUPTED))


def test_layer_is_the_restored_signal_if_none_is_named() -> None:
    assert make(layer=None).layer == 3


@torch.no_grad()
def test_steps_of_another_size_leave_the_method_itself_alone() -> None:
    module = make().eval()
    usual = module.restore(CORRUPTED)
    longer = module.with_step_size(0.4).restore(CORRUPTED)
    assert not torch.equal(longer, usual)
    assert torch.equal(longer, make(refinement=Refinement(steps=4, step_size=0.4)).eval().restore(CORRUPTED))
    assert torch.equal(module.restore(CORRUPTED), usual)


@torch.no_grad()
def test_estimates_are_told_with_their_mean_logits() -> None:
    module = make().eval()
    mono = CORRUPTED[:1, :1]
    estimates = module.estimates(mono)[:, 0]
    logits = module.step_scores(estimates, mono)["logit"]
    assert module.discriminator is not None
    expected = [module.discriminator(estimate[None], mono)[0].mean().item() for estimate in estimates]
    assert logits.tolist() == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
def test_logit_of_an_estimate_is_the_mean_over_its_channels() -> None:
    module = make().eval()
    estimates = module.estimates(CORRUPTED[:1])[:, 0]  # (5, 2, 301)
    logits = module.step_scores(estimates, CORRUPTED[:1])["logit"]
    by_channel = [module.step_scores(estimates[:, c : c + 1], CORRUPTED[:1, c : c + 1])["logit"] for c in range(2)]
    assert torch.allclose(logits, torch.stack(by_channel).mean(dim=0), atol=1e-5)


def test_refinement_freezes_dropout_and_statistics_and_leaves_no_gradient() -> None:
    module = make().train()
    before = state_of(module)
    first, second = module.restore(CORRUPTED), module.restore(CORRUPTED)
    assert torch.equal(first, second)
    assert same(before, state_of(module))
    assert all(parameter.grad is None for parameter in module.parameters())
    assert module.net.training


def test_refines_inside_the_test_loop_and_under_bf16() -> None:
    for precision in ("32-true", "bf16-mixed"):
        module = make()
        trainer = pl.Trainer(precision=precision, **QUIET)  # type: ignore[arg-type]
        trainer.test(module, datamodule=Examples(), verbose=False)
        batch = next(iter(Examples().test_dataloader()))
        if precision == "32-true":
            scored = module.test_rows[0]["snr_db"]
            error = module.eval().restore(batch["corrupted"])[0] - batch["clean"][0]
            expected = 10 * torch.log10(batch["clean"][0].var() / error.var())  # levels are of signals without their means
            assert scored == pytest.approx(expected.item(), abs=1e-3)


def test_penalty_is_the_weighted_sum_of_the_two_distances() -> None:
    module = make(proximity=2.0, low_band=3.0, low_band_hz=1500.0)
    time = torch.arange(2000.0) / 4000
    low, high = (torch.sin(2 * torch.pi * hz * time)[None, None] for hz in (200.0, 1900.0))
    penalty = module._penalty(low, first=high)
    assert penalty(high).item() == pytest.approx(3.0 * 1.0, rel=0.05)  # of the low band, all of x is missing
    assert penalty(low + high).item() == pytest.approx(2.0 * 1.0, rel=0.05)  # the low band is right, y_0 is left by x


@torch.no_grad()
def test_penalty_holds_the_result_back() -> None:
    settings = {"refinement": Refinement(steps=20, step_size=5.0, rule="sgd")}
    free, held = (make(**settings, proximity=factor).eval() for factor in (0.0, 3.0))
    strayed = [float((module.restore(CORRUPTED) - module.net(CORRUPTED)).square().mean()) for module in (free, held)]
    assert strayed[1] < strayed[0]


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
