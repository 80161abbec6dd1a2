"""Every recipe of conf/model trains all of its networks' weights, and learns a batch by heart."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from conf.declared import declared
from lightning_modules.regression import RegressionModule
from models.restorer import Restorer
from tests.models.contracts import RATE_HZ, BrokenContractError
from tests.models.small import description, eager, fresh, names, shrunk
from tests.models.training import noisy_phase_oracle_db, require_batch_learned, require_every_weight_trained

TRAINED = [name for name in names() if declared(description(name)["_target_"], "needs_training")]
UNABLE = ("encoder_decoder_published", "conv_rnn_published", "rnn_dft_published", "ddae_clean", "stereo_autoencoder_noise")
"""The output of the first is never negative, see test_encoder_decoder.py; the next two go down a tiny gradient at the rate of
Adam; then one that never sees noise; the last learns its noise bands alone, from spectra, on a network that has been trained."""


@pytest.mark.parametrize("name", TRAINED)
def test_a_gradient_reaches_every_parameter_in_two_steps(name: str) -> None:
    require_every_weight_trained(fresh(eager(shrunk(description(name)))))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TRAINED if name not in UNABLE])
def test_one_batch_is_learned_by_heart(name: str) -> None:
    require_batch_learned(fresh(eager(shrunk(description(name)))), steps=500)


@pytest.mark.slow
def test_magnitudes_are_learned_as_far_as_the_noisy_phase_allows() -> None:
    config = eager(shrunk(description("conv_rnn")))
    require_batch_learned(fresh(config | {"net": config["net"] | {"representation": "magnitude"}}), steps=500)


def test_noisy_phase_costs_what_a_quarter_turn_of_a_sine_does() -> None:
    clean = torch.sin(2 * torch.pi * torch.arange(512) / 8)[None, None]
    assert noisy_phase_oracle_db({"clean": clean, "corrupted": 0.1 * clean}, 64, 16) > 60
    turned = {"clean": clean, "corrupted": torch.cos(2 * torch.pi * torch.arange(512) / 8)[None, None]}
    assert noisy_phase_oracle_db(turned, 64, 16) == pytest.approx(-3.0, abs=0.3)  # |sin - cos|^2 = 2 |sin|^2


class WithIdle(Restorer):
    """Has a weight that is not used, or one that gets no gradient."""

    def __init__(self, detached: bool) -> None:
        super().__init__()
        self.gain, self.spare = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
        self.detached = detached

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted * self.gain * (self.spare.detach() if self.detached else 1)


def trained_by(net: nn.Module) -> RegressionModule:
    return RegressionModule(net, RATE_HZ, {"l2": 1.0}, partial(torch.optim.Adam, lr=1e-3))


@pytest.mark.parametrize("detached", [False, True])
def test_a_weight_that_gets_no_gradient_is_named(detached: bool) -> None:
    with pytest.raises(BrokenContractError, match="no gradient has reached net.spare: use it in forward, look for a detach"):
        require_every_weight_trained(trained_by(WithIdle(detached)))


def test_a_weight_that_no_optimizer_has_is_named() -> None:
    module = trained_by(WithIdle(detached=False))
    module.more = nn.Linear(1, 1)
    with pytest.raises(BrokenContractError, match="no optimizer has more.weight, more.bias: give it to one"):
        require_every_weight_trained(module)
