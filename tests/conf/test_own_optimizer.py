"""Whatever optimizer is chosen beside a method or an experiment has its own arguments, and what the command line says of them."""

from typing import Any

import pytest
from hydra import compose, initialize_config_module

from conf.compose import plain
from conf.null_choices import FOLDER
from conf.own_optimizer import with_own_optimizer
from conf.schema.check import check_train

NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
RECURRENT = ["model=conv_rnn", "model=conv_rnn_literal", "model=conv_rnn_anytime", "experiment=progressive_denoise"]


def composed(*given: str) -> dict[str, Any]:
    with initialize_config_module("conf"):
        config: dict[str, Any] = plain(compose("train", overrides=with_own_optimizer([*given, *NAMES])))
    return config


@pytest.mark.parametrize("optimizer", sorted(path.stem for path in (FOLDER / "optimizer").glob("*.yaml")))
@pytest.mark.parametrize("method", ["model=unet_small", *RECURRENT])
def test_every_optimizer_goes_with_every_method(method: str, optimizer: str) -> None:
    config = composed(method, f"optimizer@model.optimizer={optimizer}")
    check_train(config)
    assert ("betas" in config["model"]["optimizer"]) == (optimizer not in ("sgd", "rmsprop"))


def test_each_network_of_an_adversarial_method_has_its_own() -> None:
    config = composed("model=mugan_small", "optimizer@model.discriminator_optimizer=sgd")
    check_train(config)
    kinds = [config["model"][f"{name}_optimizer"]["_target_"] for name in ("generator", "discriminator")]
    assert kinds == ["torch.optim.AdamW", "torch.optim.SGD"]


def test_an_argument_of_the_command_line_is_not_taken_out() -> None:
    given = ["model=conv_rnn", "optimizer@model.optimizer=sgd", "model.optimizer.betas=[0.9,0.9]"]
    assert with_own_optimizer(given) == given
