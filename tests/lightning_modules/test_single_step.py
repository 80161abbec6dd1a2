"""Single steps are trained on exact inputs, drawn for every batch."""

from functools import partial

import pytest
import torch
from torch import nn

from lightning_modules.losses.reconstruction import l2
from lightning_modules.single_step import SingleStepModule
from models.cold_diffusion import ColdDiffusionRNN


def make() -> SingleStepModule:
    torch.manual_seed(0)
    net = ColdDiffusionRNN(4, 2, state_channels=6, hidden_channels=8, bias=False, fft_samples=64, hop_samples=16)
    nn.init.normal_(net.rnn.perceptron.last.weight, std=0.1)
    module = SingleStepModule(net, 4000, {"l2": 1.0}, partial(torch.optim.SGD, lr=0.1))
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign,assignment]
    return module


def test_progress_is_that_of_one_of_the_steps() -> None:
    drawn = [make().progress(torch.tensor([number])) for number in range(40)]
    assert set(drawn) == {0.0, 0.25, 0.5, 0.75}
    assert drawn == [make().progress(torch.tensor([number])) for number in range(40)]


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_loss_compares_one_restoration_of_the_exact_step_with_the_clean_signal(index: int) -> None:
    module, (clean, noise) = make(), torch.randn(2, 2, 1, 300, generator=torch.Generator().manual_seed(0))
    batch = {"clean": clean, "corrupted": clean + noise, "index": torch.tensor([index, index + 1])}
    progress = module.progress(batch["index"])
    expected = l2(module.net.restore_once(clean + (1 - progress**2) * noise, progress), clean)
    torch.testing.assert_close(module.training_step(batch, 0), expected)
