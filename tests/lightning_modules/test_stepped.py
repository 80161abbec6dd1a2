"""A method that works in steps can be stopped after any, and says what it is after each."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.base import RestorationModule
from lightning_modules.stepped import SteppedModule
from lightning_modules.stepwise import Stepwise, with_num_steps, with_step_size
from models.conv_rnn import ConvRNN


def make() -> SteppedModule:
    torch.manual_seed(0)
    net = ConvRNN(steps=3, state_channels=6, hidden_channels=8, bias=False, fft_samples=64, hop_samples=16)
    nn.init.normal_(net.perceptron.last.weight, std=0.1)
    return SteppedModule(net, 4000, {"l2": 1.0}, partial(torch.optim.SGD, lr=0.1)).eval()


def signal() -> Tensor:
    return torch.randn(2, 1, 300, generator=torch.Generator().manual_seed(0))


def test_method_knows_its_steps_and_goes_all_of_them() -> None:
    module = make()
    assert module.steps == 3
    torch.testing.assert_close(module.restore(signal()), module.estimates(signal())[-1])


def test_estimates_start_with_the_input() -> None:
    estimates = make().estimates(signal())
    assert estimates.shape == (4, 2, 1, 300)
    assert torch.equal(estimates[0], signal())


@pytest.mark.parametrize("step", [0, 1, 3])
def test_stopped_method_gives_the_estimate_of_that_step(step: int) -> None:
    module = make()
    stopped = module.with_num_steps(step)
    assert stopped.sample_rate == 4000 and not stopped.training
    torch.testing.assert_close(stopped.restore(signal()), module.estimates(signal())[step])


def test_more_steps_than_usual_are_finer_ones() -> None:
    module = make()
    torch.testing.assert_close(module.with_num_steps(6).restore(signal()), module.net.estimates(signal(), 6)[-1])


def test_stopped_method_stays_on_its_device() -> None:
    assert make().to("meta").with_num_steps(2).device == torch.device("meta")


@pytest.mark.parametrize("steps", [-1, 1.5, "all"])
def test_number_of_steps_that_is_none_is_refused(steps: Any) -> None:
    with pytest.raises(ValueError, match=f"steps={steps} must be a whole number, at least 0"):
        make().with_num_steps(steps)


def test_other_methods_say_that_they_have_no_steps() -> None:
    module = RestorationModule(nn.Identity(), 4000)
    assert not isinstance(module, Stepwise)
    with pytest.raises(ValueError, match="steps=2: this method does not work in steps"):
        with_num_steps(module, 2)
    with pytest.raises(ValueError, match="step_size=0.5: this method does not refine what it restores in steps of a size"):
        with_step_size(module, 0.5)


def test_steps_of_a_network_have_no_size() -> None:
    with pytest.raises(ValueError, match="step_size=0.5: this method does not refine"):
        with_step_size(make(), 0.5)
    assert with_num_steps(make(), 0).restore(signal()).equal(signal())
