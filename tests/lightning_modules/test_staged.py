"""A training in stages: who moves in each, which losses there are, what is best, and going on between and within them."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from lightning_modules.callbacks.best_and_last import BestEpoch
from lightning_modules.callbacks.budget import Budget
from lightning_modules.training.warm_up import WhenBelow
from tests.lightning_modules.tiny import QUIET, STAGES, Pairs, fit, make

ALONE = {"first": {"train": ["autoencoder"], "epochs": 2}, "second": {"train": ["discriminator"], "epochs": 1}}
THREE: dict[str, Any] = {**ALONE, "third": {"train": ["generator", "discriminator"], "epochs": None}}


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


class Watch(pl.Callback):
    """Keep which networks have moved, and what is logged, by epoch."""

    def __init__(self) -> None:
        self.moved: list[set[str]] = []
        self.logged: list[set[str]] = []
        self.before: dict[str, dict[str, Tensor]] = {}

    def on_train_epoch_start(self, trainer: pl.Trainer, module: Any) -> None:  # type: ignore[override]
        self.before = {name: state_of(network) for name, network in module.networks.items()}

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:  # type: ignore[override]
        after = {name: state_of(network) for name, network in module.networks.items()}
        same = {name: all(map(torch.equal, after[name].values(), self.before[name].values())) for name in after}
        self.moved.append({name for name, is_same in same.items() if not is_same})
        self.logged.append({name for name in trainer.callback_metrics if name.startswith("train/")})


def watched(epochs: int, *callbacks: pl.Callback, **settings: Any) -> Watch:
    watch = Watch()
    quiet = {**QUIET, "num_sanity_val_steps": 0, "log_every_n_steps": 1, "enable_checkpointing": bool(callbacks)}
    trainer = pl.Trainer(max_epochs=epochs, callbacks=[watch, *callbacks], **quiet)
    trainer.fit(make("staged", **settings), datamodule=Pairs())
    return watch


def test_networks_of_a_stage_move_and_no_others() -> None:
    watch = watched(5, stages=THREE)
    pair = {"generator", "discriminator"}
    assert watch.moved == [{"autoencoder"}, {"autoencoder"}, {"discriminator"}, pair, pair]
    assert watch.logged[:3] == [set()] * 3
    assert {"train/l2", "train/adversarial", "train/feature"} <= watch.logged[3]


def test_a_loss_waits_for_the_network_that_it_is_a_matter_of() -> None:
    stages = {"first": {"train": ["generator"], "epochs": 1}, "then": {"train": ["generator", "discriminator"], "epochs": 1}}
    watch = watched(3, stages={**stages, "last": {"train": ["autoencoder", "generator"], "epochs": None}})
    composite = [{"train/adversarial", "train/feature"} & logged for logged in watch.logged]
    assert composite == [set(), {"train/adversarial"}, {"train/adversarial", "train/feature"}]


def test_stage_whose_networks_the_weights_leave_out_is_skipped() -> None:
    watch = watched(2, loss_weights={"l2": 1.0, "adversarial": 0.1})
    assert watch.moved == [{"generator", "discriminator"}] * 2


@pytest.mark.parametrize("epochs", [1, 2])
def test_run_resumed_between_or_within_stages_equals_the_uninterrupted_one(tmp_path: Path, epochs: int) -> None:
    stages = {"first": {"train": ["autoencoder"], "epochs": 2}, "second": STAGES["second"]}
    whole = fit(make("staged", stages=stages), epochs=4)
    fit(make("staged", stages=stages), epochs=epochs, folder=tmp_path)
    parts = fit(make("staged", stages=stages), epochs=4, folder=tmp_path)
    assert all(map(torch.equal, state_of(whole).values(), state_of(parts).values()))


def test_best_is_chosen_among_the_validations_of_a_generator_that_is_trained(tmp_path: Path) -> None:
    class Worse(pl.Callback):
        """Let the metric fall from epoch to epoch: before anything is trained it is highest."""

        def on_validation_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:  # type: ignore[override]
            module.log("val/falling", -float(trainer.current_epoch))

    watched(
        4,
        Worse(),
        BestEpoch(tmp_path, "val/falling", "max"),
        Budget(),
        stages=THREE | {"second": STAGES["second"] | {"epochs": 1}},
    )
    assert torch.load(tmp_path / "best.ckpt", weights_only=True)["epoch"] == 2


def test_training_that_ends_before_the_last_stage_says_so(caplog: pytest.LogCaptureFixture) -> None:
    watched(2, stages=THREE)
    assert "2 epochs end before the stage third, which trains generator and discriminator from epoch 4 on" in caplog.text


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (ALONE, r"model.stages trains no generator; name it in the train of a stage"),
        ({**THREE, "second": {"train": ["discriminator"], "epochs": None}}, r"stages.second.epochs=null must be a number"),
        ({**THREE, "third": {"train": ["generator"], "epochs": 3}}, r"stages.third.epochs=3 must be null: the last stage"),
        ({**THREE, "first": {"train": ["autoencoder"], "epochs": 0}}, r"stages.first.epochs=0 must be .* at least 1"),
    ],
)
def test_stages_that_are_none_are_refused(stages: dict[str, Any], message: str) -> None:
    if stages is ALONE:
        stages = {"first": ALONE["first"], "second": ALONE["second"] | {"epochs": None}}
    with pytest.raises(ValueError, match=message):
        make("staged", stages=stages)


def test_warm_up_that_watches_a_network_of_another_stage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model.warm_up.network=autoencoder is not trained in this run"):
        make("staged", warm_up=WhenBelow("autoencoder", 0.1)).prepare_training()
