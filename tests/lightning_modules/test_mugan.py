"""MU-GAN's recipe: the feature loss, the autoencoder that serves it and never moves, and how one is taken over."""

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.mugan import MUGANModule, MUGANSettings
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.training.adversarial_settings import AdversarialSettings
from lightning_modules.training.warm_up import WhenBelow

AUTOENCODER = {"_target_": "models.autoencoder.Autoencoder", "depth": 1, "filters": [4], "kernels": [3], "norm": "batch"}


class Gain(nn.Module):
    """Multiply by a trained gain."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.gain * corrupted


class Double(nn.Module):
    """An autoencoder whose feature is twice its trained scale times the signal, with a running statistic."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.norm = nn.BatchNorm1d(1)
        self.modes: list[bool] = []

    def encode(self, signal: Tensor) -> Tensor:
        self.modes.append(self.training)
        return 2 * self.scale * signal

    def forward(self, signal: Tensor) -> Tensor:
        return self.norm(self.encode(signal))


class Examples(pl.LightningDataModule):
    """Four pairs at 4 kHz: noise, and twice the noise."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def train_dataloader(self) -> DataLoader[Any]:
        clean = torch.randn(4, 1, 64, generator=torch.Generator().manual_seed(0))
        pairs = [{"clean": signal, "corrupted": 2 * signal, "index": number} for number, signal in enumerate(clean)]
        return DataLoader(pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = train_dataloader


def make(**settings: Any) -> MUGANModule:
    sgd = partial(torch.optim.SGD, lr=0.01)
    weights = {"l2": 1.0, "feature": 1.0} | settings.pop("loss_weights", {})
    return MUGANModule(
        net=Gain(),
        sample_rate=4000,
        loss_weights=weights,
        discriminator=nn.Identity,
        autoencoder=settings.pop("autoencoder", Double),
        generator_optimizer=sgd,
        discriminator_optimizer=sgd,
        autoencoder_optimizer=sgd,
        **settings,
    )


def test_autoencoder_of_another_run_takes_no_gradient_and_one_of_this_run_does() -> None:
    taking = {path: make(autoencoder_checkpoint=path).autoencoder for path in ("runs/autoencoder", None)}
    assert [any(value.requires_grad for value in net.parameters()) for net in taking.values() if net] == [False, True]


def fit(module: MUGANModule, epochs: int = 1) -> pl.Trainer:
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(accelerator="cpu", max_epochs=epochs, enable_model_summary=False, log_every_n_steps=1, **quiet)
    trainer.fit(module, datamodule=Examples())
    return trainer


BATCH = {"clean": torch.tensor([[[1.0, 2.0, 3.0]]]), "corrupted": torch.zeros(1, 1, 3), "index": torch.tensor([0])}
RESTORED = torch.tensor([[[1.0, 1.0, 1.0]]])


def test_feature_loss_of_three_samples() -> None:
    terms = make().composite_terms(BATCH, RESTORED)
    assert set(terms) == {"feature"}
    assert terms["feature"].item() == pytest.approx((0 + 4 + 16) / 3)


def test_feature_distance_is_the_one_asked_for() -> None:
    assert make(feature_distance="l1").composite_terms(BATCH, RESTORED)["feature"].item() == pytest.approx((0 + 2 + 4) / 3)


def test_feature_loss_teaches_the_generator_and_not_through_the_clean_features() -> None:
    module, restored = make(), RESTORED.clone().requires_grad_()
    clean = BATCH["clean"].clone().requires_grad_()
    module.composite_terms({**BATCH, "clean": clean}, restored)["feature"].backward()
    assert restored.grad is not None
    assert restored.grad.flatten().tolist() == pytest.approx([0, -8 / 3, -16 / 3])
    assert clean.grad is None


def test_without_feature_weight_there_is_no_autoencoder() -> None:
    module = make(loss_weights={"feature": 0.0})
    assert module.autoencoder is None
    assert len(fit(module).optimizers) == 1


def test_autoencoder_of_the_run_learns_to_reproduce_and_judges_in_evaluation_mode() -> None:
    module = make()
    trainer = fit(module)
    autoencoder = module.autoencoder
    assert isinstance(autoencoder, Double)
    assert len(trainer.optimizers) == 2
    assert autoencoder.modes == [True, False, False] * 2  # its own step, then clean and restored features
    assert "autoencoder/loss" in trainer.callback_metrics
    assert not autoencoder.training


def test_generator_step_moves_nothing_of_the_autoencoder() -> None:
    module = make()
    step, untouched = module._step_generator, []

    def watched(*arguments: Any) -> None:
        before = {name: value.clone() for name, value in module.networks["autoencoder"].state_dict().items()}
        step(*arguments)
        after = module.networks["autoencoder"].state_dict()
        untouched.append(all(torch.equal(value, before[name]) for name, value in after.items()))

    module._step_generator = watched  # type: ignore[method-assign]
    fit(module)
    assert untouched == [True, True]


def test_warm_up_can_wait_for_the_autoencoder_alone() -> None:
    module = make(warm_up=WhenBelow("autoencoder", 1e9, memory_steps=1))
    module.prepare_training()
    assert fit(module).callback_metrics["train/warm_up"] == 1.0
    with pytest.raises(ValueError, match="model.warm_up.network=discriminator is not trained in this run.*: autoencoder"):
        make(warm_up=WhenBelow("discriminator", 1.0)).prepare_training()


@pytest.mark.parametrize("key", ["autoencoder_loss", "feature_distance"])
def test_unknown_distance_is_named(key: str) -> None:
    with pytest.raises(ValueError, match=f"unknown model.{key}=l3; known: l2, l1, log_mse"):
        make(**{key: "l3"})


def finished_autoencoder(folder: Path, sample_rate: int = 4000, **net: Any) -> Path:
    """Write what a model=autoencoder run leaves."""
    config = {
        "_target_": "lightning_modules.autoencoding.AutoencoderModule",
        "sample_rate": sample_rate,
        "loss_weights": {"l2": 1.0},
        "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True},
        "net": AUTOENCODER | net,
    }
    module = build_restorer(config)
    (folder / "checkpoints").mkdir(parents=True)
    torch.save({"state_dict": module.state_dict(), "model_config": config}, folder / "checkpoints" / "best.ckpt")
    return folder


def from_file(folder: Path) -> MUGANModule:
    from models.autoencoder import Autoencoder

    settings = {key: value for key, value in AUTOENCODER.items() if key != "_target_"}
    return make(autoencoder=partial(Autoencoder, **settings), autoencoder_checkpoint=str(folder))


def test_autoencoder_of_another_run_is_taken_over_and_never_moves(tmp_path: Path) -> None:
    folder = finished_autoencoder(tmp_path / "autoencoder")
    module = from_file(folder)
    module.prepare_training()
    saved = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    trainer = fit(module, epochs=2)
    assert module.autoencoder is not None
    assert len(trainer.optimizers) == 1
    assert all(torch.equal(value, saved[f"net.{name}"]) for name, value in module.autoencoder.state_dict().items())


def test_method_opens_without_the_autoencoders_checkpoint() -> None:
    assert from_file(Path("/nonexistent")).autoencoder is not None


@pytest.mark.parametrize(
    ("make_folder", "message"),
    [
        (lambda folder: folder, "no such run folder, checkpoint file or shipped model"),
        (lambda folder: finished_autoencoder(folder, sample_rate=8000), "works at 8000 Hz, this run at 4000 Hz"),
        (
            lambda folder: finished_autoencoder(folder, filters=[8]),
            r"holds another architecture, .*'filters': \[8\].*give model.autoencoder",
        ),
    ],
)
def test_checkpoint_that_does_not_fit_is_named(tmp_path: Path, make_folder: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_file(make_folder(tmp_path / "run")).prepare_training()


def arguments(recipe: type) -> dict[str, bool]:
    """Return the named arguments of a recipe, and whether each must be given."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {name: value for name, value in inspect.signature(recipe).parameters.items() if value.kind in named}
    return {name: value.default is inspect.Parameter.empty for name, value in found.items()}


def test_settings_that_are_passed_on_are_those_of_the_recipe() -> None:
    adversarial, added = arguments(AdversarialModule), arguments(MUGANModule)
    for settings, wanted in ((AdversarialSettings, adversarial), (MUGANSettings, adversarial | added)):
        told = {name: name in settings.__required_keys__ for name in settings.__annotations__}
        assert told == wanted
