"""The collaborative GAN: what refinement keeps, what shaping moves, and how a run starts from another."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.checkpoint import build_restorer
from lightning_modules.collaborative_gan import CollaborativeGANModule, adopt_base
from lightning_modules.shaping import Shaping
from models.discriminator import Discriminator
from models.mugan import Generator
from models.refinement import Refinement
from models.restoration_stream import GRID_SAMPLES, RestorationStream, Settings

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

    def train_dataloader(self) -> DataLoader[Any]:
        draw = torch.Generator().manual_seed(0)
        clean, noise = torch.randn(2, 4, 2, 4096, generator=draw)
        pairs = [{"clean": clean[n], "corrupted": clean[n] + 0.3 * noise[n], "index": n} for n in range(4)]
        return DataLoader(pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = test_dataloader = train_dataloader


def make(**settings: Any) -> CollaborativeGANModule:
    """Return a module whose generator changes its input and whose networks drop out and normalize over the batch."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    net = Generator(depth=2, filters=(8, 8), kernels=(3,), dropout=0.5)
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
        discriminator=partial(Discriminator, depth=2, filters=(4, 4, 4), kernels=(3,), norm="batch"),
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
    assert torch.equal(module.at_steps(0).restore(CORRUPTED), module.net(CORRUPTED))


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
    assert torch.equal(estimates[2], module.at_steps(2).restore(CORRUPTED))


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
            expected = 10 * torch.log10(batch["clean"][0].square().sum() / error.square().sum())
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
    module = make(shaping=Shaping(after_epochs=0, patience=1, least_gain=0.99))
    trainer = pl.Trainer(max_epochs=50, log_every_n_steps=1, **QUIET)
    trainer.fit(module, datamodule=Examples())
    assert trainer.current_epoch == 2  # one to set the best, one that gains less than 99 %


def test_samples_to_shape_with_are_of_every_degree(monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning_modules import collaborative_gan

    drawn: list[int] = []

    def record(visits: Any, steps: Tensor) -> Tensor:
        drawn.extend(steps.tolist())
        return next(visits).signal  # type: ignore[no-any-return]

    monkeypatch.setattr(collaborative_gan, "at_steps", record)
    module = make(refinement=Refinement(steps=1), shaping=Shaping(after_epochs=0, patience=30))
    pl.Trainer(max_epochs=1, log_every_n_steps=1, **QUIET).fit(module, datamodule=Examples())
    assert len(drawn) == 8
    assert set(drawn) == {0, 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss_weights": {"l2": 1.0}}, "needs a discriminator: give model.loss_weights.adversarial"),
        ({"layer": 4}, "model.layer=4 must lie between 0, the bottleneck, and 3, the restored signal"),
        ({"low_band": 1.0}, "model.low_band=1.0 needs model.low_band_hz"),
    ],
)
def test_mistake_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


ADAM = {"_target_": "torch.optim.Adam", "_partial_": True}
BASE = {
    "_target_": "lightning_modules.mugan.MUGANModule",
    "sample_rate": 4000,
    "loss_weights": {"l2": 1.0, "adversarial": 0.1, "feature": 0.0},
    "adversary": "hinge",
    "net": {"_target_": "models.mugan.Generator", "depth": 2, "filters": [8, 8], "kernels": [3]},
    "discriminator": {
        "_target_": "models.discriminator.Discriminator",
        "_partial_": True,
        "depth": 1,
        "filters": [4, 4],
        "kernels": [3],
    },
    "autoencoder": {"_target_": "models.autoencoder.Autoencoder", "_partial_": True},
    "generator_optimizer": ADAM,
    "discriminator_optimizer": ADAM,
    "autoencoder_optimizer": ADAM,
}
FROM_BASE = BASE | {
    "_target_": "lightning_modules.collaborative_gan.CollaborativeGANModule",
    "adversary": "bce",
    "net": {"_target_": "models.unet.UNet"},
    "layer": 1,
    "refinement": {"_target_": "models.refinement.Refinement", "steps": 1},
    "shaping": {"_target_": "lightning_modules.shaping.Shaping"},
}


def finished_base(folder: Path, **change: Any) -> Path:
    config = BASE | change
    module = build_restorer(config)
    torch.save({"state_dict": module.state_dict(), "model_config": config}, folder / "base.ckpt")
    return folder / "base.ckpt"


def test_run_with_a_base_takes_over_its_networks_and_adversary(tmp_path: Path) -> None:
    file = finished_base(tmp_path)
    module = build_restorer(adopt_base(FROM_BASE | {"base": str(file)}))
    assert isinstance(module, CollaborativeGANModule)
    module.prepare_training()
    saved = torch.load(file, weights_only=True)["state_dict"]
    for name in ("net", "discriminator"):
        loaded = {f"{name}.{key}": value for key, value in getattr(module, name).state_dict().items()}
        assert same(loaded, {key: value for key, value in saved.items() if key.startswith(f"{name}.")})
    assert module.adversary.generator.__name__ == "hinge_generator"
    assert module.first_shaping_epoch == 0


def test_description_without_a_base_stays_as_it_is() -> None:
    assert adopt_base(FROM_BASE) == FROM_BASE


def test_base_without_a_discriminator_is_named(tmp_path: Path) -> None:
    file = finished_base(tmp_path, loss_weights={"l2": 1.0, "adversarial": 0.0})
    module = build_restorer(adopt_base(FROM_BASE | {"base": str(file)}))
    with pytest.raises(ValueError, match=r"model.base=.*base.ckpt has no discriminator"):
        module.prepare_training()


def test_base_of_another_kind_or_rate_is_named(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "model_config": {"sample_rate": 4000}}, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match="was not written by an adversarial run"):
        adopt_base(FROM_BASE | {"base": str(tmp_path / "other.ckpt")})
    file = finished_base(tmp_path)
    with pytest.raises(ValueError, match="works at 4000 Hz, this run at 8000 Hz"):
        build_restorer(adopt_base(FROM_BASE | {"base": str(file), "sample_rate": 8000})).prepare_training()


@torch.no_grad()
def test_chunks_of_a_long_signal_are_refined_as_the_whole_is_also_where_they_join() -> None:
    module = make(refinement=Refinement(steps=3, step_size=0.05)).eval()
    signal = 0.1 * torch.randn(1, 24 * GRID_SAMPLES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, whole = (method.restore(signal[None].float())[0].double() for method in (module.at_steps(0), module))
    stream = RestorationStream(module.restore, 4000, 4000, 1, Settings(chunk_seconds=4.096, overlap_seconds=1.024))
    with torch.inference_mode():
        in_chunks = torch.cat([stream.push(signal), stream.flush()], dim=-1)
    power, error = (whole - first).square().mean(), (in_chunks - whole).square()
    joins = torch.arange(GRID_SAMPLES, signal.shape[-1] - GRID_SAMPLES, GRID_SAMPLES)
    assert error.mean() < 0.01 * power
    assert torch.stack([error[0, join - 32 : join + 32].mean() for join in joins]).mean() < 0.01 * power
