"""Runs that start from another one's weights, and runs of which parts are frozen, from the real configuration."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.settings import TrainSettings
from lightning_modules.commands.train import train

Config = Callable[..., TrainSettings]
SMALL = ["model.net.depth=2", "model.net.channels=[4,4]", "model.net.kernels=[9,9]", "examples=0"]
JUDGE = ["model.discriminator.depth=2", "model.discriminator.filters=[4,4,4]", "model.discriminator.norm=batch"]
UNET = ["model=unet_small", *SMALL]
UNET_GAN = ["model=unet_gan_small", *SMALL, *JUDGE, "model.loss_weights.feature=0"]
CONV_RNN = ["model=conv_rnn", "model.net.state_channels=8", "model.net.hidden_channels=8", "model.net.steps=2", "examples=0"]
CONV_RNN += ["model.net.fft_samples=128", "model.net.hop_samples=32"]
PLAYERS = ["model.net.depth=2", "model.net.filters=[8,8]", *JUDGE, "model.autoencoder.depth=1", "model.autoencoder.filters=[8]"]
MUGAN = ["model=mugan_small", *PLAYERS, "examples=0"]
COLLABORATIVE = ["model=collaborative_gan_small", *PLAYERS, "examples=0", "model.refinement.steps=1", "model.layer=1"]
STILL = ["model.optimizer.lr=0", "ema_decay=null"]


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
    return {name: value for name, value in state.items() if not name.endswith("_extra_state")}


def recorded(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "init_from.json").read_text(encoding="utf-8"))
    return content


def test_run_starts_from_the_weights_of_another_at_another_rate_and_loss(
    train_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(train_config(*UNET, "trainer.max_epochs=1", run="first"))
    other = ["data.sample_rate=8000", "model.loss_weights.l1=1", "optimizer@model.optimizer=adam"]
    result = train(train_config(*UNET, *other, *STILL, "trainer.max_epochs=1", f"init_from={tmp_path / 'first'}"))
    best, own = weights(tmp_path / "first", "best"), weights(tmp_path / "run")
    assert all(torch.equal(own[name], value) for name, value in best.items())
    count = len(own)
    assert f"first/checkpoints/best.ckpt: took over {count} of {count} weights" in capsys.readouterr().out
    assert result["init_from"]["loaded"] == count
    assert result["init_from"]["missing"] == 0
    assert recorded(tmp_path / "run")["sample_rate"] == 4000


@pytest.mark.parametrize("method", [UNET_GAN, CONV_RNN, MUGAN, COLLABORATIVE], ids=["gan", "conv_rnn", "mugan", "collaborative"])
def test_every_recipe_starts_from_a_run_of_its_own(train_config: Config, tmp_path: Path, method: list[str]) -> None:
    smoke = ["trainer=smoke", "data.batch_size=2"]
    train(train_config(*method, *smoke, run="first"))
    result = train(train_config(*method, *smoke, f"init_from={tmp_path / 'first'}"))
    assert result["init_from"]["loaded"] == len(weights(tmp_path / "first"))
    assert recorded(tmp_path / "run")["left_over"] == []


def test_gan_takes_its_generator_from_a_plain_run_and_lists_the_rest(train_config: Config, tmp_path: Path) -> None:
    train(train_config(*UNET, "trainer=smoke", "data.batch_size=2", run="first"))
    train(train_config(*UNET_GAN, "trainer=smoke", "data.batch_size=2", f"init_from={tmp_path / 'first'}"))
    told = recorded(tmp_path / "run")
    assert told["loaded"] == len(weights(tmp_path / "first"))
    assert all(name.startswith("discriminator.") for name in told["missing"])
    assert told["missing"]


def test_nothing_in_common_is_a_sentence_before_there_is_a_run(train_config: Config, tmp_path: Path) -> None:
    train(train_config(*UNET, "trainer=smoke", "data.batch_size=2", run="first"))
    with pytest.raises(ValueError, match=r"^init_from=.*first.*: none of its .* weights agrees"):
        train(train_config(*CONV_RNN, f"init_from={tmp_path / 'first'}"))
    assert not (tmp_path / "run").exists()


def test_resumed_run_does_not_start_anew_and_says_so(
    train_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(train_config(*UNET, "trainer.max_epochs=1", run="first"))
    began = [*UNET, f"init_from={tmp_path / 'first'}"]
    train(train_config(*began, "trainer.max_epochs=2", run="whole"))
    train(train_config(*began, "trainer.max_epochs=1"))
    (tmp_path / "first").rename(tmp_path / "gone")
    capsys.readouterr()
    resumed = [*UNET, "init_from=elsewhere", f"resume={tmp_path / 'run'}", "trainer.max_epochs=2"]
    result = train(train_config(*resumed))
    told = f"init_from=elsewhere is left aside: the run goes on with weights of its own; it began with {tmp_path / 'first'}"
    assert told in capsys.readouterr().out
    whole, own = weights(tmp_path / "whole"), weights(tmp_path / "run")
    assert all(torch.equal(own[name], value) for name, value in whole.items())
    assert result["init_from"]["checkpoint"].startswith(str(tmp_path / "first"))


def test_collaborative_run_goes_on_where_its_base_is_no_more(train_config: Config, tmp_path: Path) -> None:
    train(train_config(*MUGAN, "trainer=smoke", "data.batch_size=2", run="first"))
    plain = ["model=collaborative_gan_small", "model.refinement.steps=1", "examples=0", f"init_from={tmp_path / 'first'}"]
    train(train_config(*plain, "trainer=smoke", "data.batch_size=2"))
    (tmp_path / "first").rename(tmp_path / "gone")
    resumed = train(
        train_config(*plain, "trainer=smoke", "data.batch_size=2", "trainer.max_epochs=2", f"resume={tmp_path / 'run'}")
    )
    assert resumed["epochs"] == 2
    before, after = weights(tmp_path / "gone", "best"), weights(tmp_path / "run")
    assert all(torch.equal(after[name], value) for name, value in before.items() if name.startswith("net."))


def test_frozen_parts_stay_bit_equal_under_averages_and_over_a_resume(train_config: Config, tmp_path: Path) -> None:
    frozen = ["freeze=[net.down.*,discriminator.blocks.*]", "ema_decay=0.9", "trainer.num_sanity_val_steps=0"]
    train(train_config(*UNET_GAN, "trainer.max_epochs=1", run="first"))
    began = [*UNET_GAN, *frozen, f"init_from={tmp_path / 'first'}"]
    train(train_config(*began, "trainer.max_epochs=2", run="whole"))
    train(train_config(*began, "trainer.max_epochs=1"))
    train(train_config(*began, f"resume={tmp_path / 'run'}", "trainer.max_epochs=2"))
    first, whole, own = weights(tmp_path / "first", "best"), weights(tmp_path / "whole"), weights(tmp_path / "run")
    assert all(torch.equal(own[name], value) for name, value in whole.items())
    same = {name for name, value in first.items() if torch.equal(value, own[name])}
    assert same == {name for name in first if name.startswith(("net.down.", "discriminator.blocks."))}
    assert any(name.endswith("running_mean") for name in same)


def test_run_goes_on_with_the_parts_that_were_frozen(train_config: Config, tmp_path: Path) -> None:
    train(train_config(*UNET, "freeze=[net.down.*]", "trainer=smoke", "data.batch_size=2"))
    with pytest.raises(ValueError, match=r"cannot go on with freeze=null \(it has \['net.down.\*'\]\)"):
        train(train_config(*UNET, f"resume={tmp_path / 'run'}"))


def test_base_other_than_the_start_is_refused(train_config: Config) -> None:
    with pytest.raises(ValueError, match="^model.base=x follows init_from; set init_from=x$"):
        train_config(*COLLABORATIVE, "model.base=x")
