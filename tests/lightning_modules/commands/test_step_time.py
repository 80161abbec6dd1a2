"""A timed step is a real one, and nothing stays of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from conf.settings import TrainSettings
from lightning_modules.commands.step_time import StepTimer, cost_of

Config = Callable[..., TrainSettings]
SMALL = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]


@pytest.mark.parametrize("model", [["model=unet_small", *SMALL], ["model=mugan_small"]], ids=lambda value: value[0])
def test_step_is_timed_once_and_leaves_nothing(train_config: Config, tmp_path: Path, model: list[str]) -> None:
    timer, state = StepTimer(), torch.random.get_rng_state()
    settings = train_config(*model, f"data.cache_dir={tmp_path / 'cache'}", "data.root=nowhere")
    seconds = timer.seconds(settings)
    assert 0 < seconds < 60
    assert timer.seconds(settings) == seconds and timer.timed == 1
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(state, torch.random.get_rng_state())


def test_cost_follows_the_network_and_the_batch_but_no_rate(train_config: Config) -> None:
    cost = cost_of(train_config().config)
    same = ["model.optimizer.lr=0.5", "model.loss_weights.log_mse=0.25", "trainer.max_epochs=9"]
    assert cost_of(train_config(*same).config) == cost
    assert cost_of(train_config("data.batch_size=2").config) != cost
    assert cost_of(train_config("model.net.depth=3").config) != cost
    assert cost_of(train_config("model.loss_weights.l1=0.25").config) != cost
