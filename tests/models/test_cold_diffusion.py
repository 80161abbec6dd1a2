"""The sampler of cold diffusion: exact for a perfect restorer, and the identity for an untrained one."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.cold_diffusion import ColdDiffusionRNN

SMALL: dict[str, Any] = {
    "steps": 3,
    "inner_steps": 2,
    "state_channels": 6,
    "hidden_channels": 10,
    "bias": False,
    "step_features": 3,
    "frequency_features": 2,
    "fft_samples": 64,
    "hop_samples": 16,
}


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def small(**changes: Any) -> ColdDiffusionRNN:
    torch.manual_seed(0)
    return ColdDiffusionRNN(**{**SMALL, **changes})


def trained(**changes: Any) -> ColdDiffusionRNN:
    net = small(**changes)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    return net


class Oracle(ColdDiffusionRNN):
    """Knows the spectrogram of the clean signal, and errs by a constant share of the noise that is left."""

    def __init__(self, clean: Tensor, error: float) -> None:
        super().__init__(**SMALL)
        self.clean, self.error = clean, error

    def rest(self, spectrum: Tensor, progress: float) -> Tensor:
        return (1 - self.error) * (spectrum - self.clean)


@pytest.mark.parametrize("samples", [1, 7, 500])
def test_untrained_network_is_the_identity_at_every_step(samples: int) -> None:
    net, corrupted = small(), noise(2, 1, samples)
    assert torch.equal(net.estimates(corrupted, 5), corrupted.expand(5, 2, 1, samples))
    assert torch.equal(net.restore_once(corrupted, 0.5), corrupted)


def test_perfect_restorer_follows_the_schedule() -> None:
    clean, disturbance = noise(1, 1, 500), noise(2, 1, 500)[1:]
    corrupted = clean + disturbance
    level = corrupted.square().mean().sqrt()
    net = Oracle(small().rnn.spectrum.analyze(clean[0] / level), 0.0)
    for step, estimate in enumerate(net.estimates(corrupted, 5), start=1):
        torch.testing.assert_close(estimate, corrupted - (step / 5) ** 2 * disturbance, rtol=0, atol=1e-5)


def test_sampler_goes_step_by_step_as_published() -> None:
    net, corrupted = trained(), noise(1, 1, 500)
    level, spectrum = net.rnn.analyze(corrupted)
    partly = spectrum
    for step in range(3):
        restored = partly - net.rest(partly, step / 3)
        partly = partly + (((step + 1) / 3) ** 2 - (step / 3) ** 2) * (restored - spectrum)
    torch.testing.assert_close(net(corrupted), net.rnn.without(corrupted, level, spectrum - partly), rtol=1e-4, atol=1e-5)


def test_single_estimates_are_those_of_the_whole_way() -> None:
    net, corrupted = trained(), noise(2, 1, 500)
    way = net.estimates(corrupted)
    for step in (1, 2, 3):
        torch.testing.assert_close(net.estimate_at(corrupted, step), way[step - 1])


def test_levels_are_treated_alike_and_silence_stays_silent() -> None:
    net, signal = trained(), noise(1, 1, 500)
    torch.testing.assert_close(net(signal / 1024), net(signal) / 1024, rtol=1e-4, atol=1e-9)
    assert not net(torch.zeros(1, 1, 300)).any()


def test_every_parameter_is_trained() -> None:
    net = trained()
    net.restore_once(noise(2, 1, 300), 0.5).square().sum().backward()
    assert [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()] == []


@pytest.mark.parametrize("inside", ["", "net."])
def test_weights_with_their_earlier_names_are_taken(inside: str) -> None:
    saved, fresh = trained().state_dict(), small()
    earlier = {f"{inside}{name.removeprefix('rnn.')}": value for name, value in saved.items()}
    (nn.ModuleDict({"net": fresh}) if inside else fresh).load_state_dict(earlier)
    assert all(torch.equal(value, saved[name]) for name, value in fresh.state_dict().items())


def test_no_inner_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="inner_steps=0 must be a whole number, at least 1"):
        ColdDiffusionRNN(inner_steps=0)
