"""The WaveNet denoiser against sums in NumPy, how far it sees, and its loss."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lightning_modules.target_field import TargetFieldModule
from models.wavenet_denoiser import GatedBlock, WaveNetDenoiser, WaveNetDenoiserPublished

SMALL: dict[str, Any] = {"channels": 3, "stacks": 2, "dilations": 2, "head_channels": (4, 3), "segment_samples": 4096}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawn(net: nn.Module) -> Any:
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def test_block_is_a_gated_sum_over_taps_to_both_sides() -> None:
    block, features = drawn(GatedBlock(2, 3)), draw(1, 2, 20)
    taps, out = (value.double().numpy() for value in block.state_dict().values())
    padded = np.pad(features[0].double().numpy(), ((0, 0), (3, 3)))
    sums = sum(taps[:, :, tap] @ padded[:, 3 * tap : 3 * tap + 20] for tap in range(3))
    told = out[:, :, 0] @ (np.tanh(sums[:2]) / (1 + np.exp(-sums[2:])))
    changed, said = block(features)
    np.testing.assert_allclose(changed[0].detach(), features[0].numpy() + told[:2], atol=1e-6)
    np.testing.assert_allclose(said[0].detach(), told[2:], atol=1e-6)


@pytest.mark.parametrize(("stacks", "dilations", "field"), [(3, 10, 6139), (2, 2, 13)])
def test_blocks_see_the_receptive_field_and_no_more(stacks: int, dilations: int, field: int) -> None:
    net = drawn(WaveNetDenoiserPublished(**{**SMALL, "stacks": stacks, "dilations": dilations, "segment_samples": 8192}))
    assert net.receptive_field == field
    signal = torch.zeros(1, 3, 2 * field + 1, requires_grad=True)
    features, total = signal, torch.zeros(1)
    for block in net.blocks:
        features, said = block(features)
        total = total + said
    (gradient,) = torch.autograd.grad(total[0, :, field].sum(), signal)
    seen = gradient.abs().sum(dim=(0, 1)).nonzero().flatten()
    assert int(seen.max() - seen.min()) + 1 <= field
    assert field > 100 or int(seen.max() - seen.min()) + 1 == field


def test_published_form_gives_the_voice_and_the_small_one_takes_noise_away() -> None:
    signal = draw(2, 1, 100)
    estimates = [drawn(kind(**SMALL))(signal) for kind in (WaveNetDenoiser, WaveNetDenoiserPublished)]
    torch.testing.assert_close(estimates[0], signal - estimates[1])
    torch.testing.assert_close(drawn(WaveNetDenoiserPublished(**SMALL))(0.01 * signal), 0.01 * estimates[1])


def test_errors_of_voice_and_noise_are_twice_the_error_of_the_voice() -> None:
    clean, corrupted = draw(2, 1, 100), draw(2, 1, 100, seed=1)
    module = TargetFieldModule(
        net=drawn(WaveNetDenoiserPublished(**SMALL)),
        sample_rate=8000,
        loss_weights={"l1": 2.0},
        optimizer=partial(torch.optim.Adam),
    )
    voice = module.restore(corrupted)
    noise = corrupted - voice
    conserving = (clean - voice).abs().mean() + ((corrupted - clean) - noise).abs().mean()
    torch.testing.assert_close(2.0 * module.loss.terms(voice, clean)["l1"], conserving)


@pytest.mark.parametrize(("wanted", "compared"), [(1601, slice(3069, 4670)), (None, slice(0, 7739)), (8000, slice(0, 7739))])
def test_target_field_is_the_middle_of_a_window(wanted: int | None, compared: slice) -> None:
    net, optimizer = nn.Conv1d(1, 1, 1), partial(torch.optim.Adam)
    module = TargetFieldModule(net=net, sample_rate=8000, loss_weights={"l1": 1.0}, optimizer=optimizer, target_samples=wanted)
    window = torch.arange(7739.0)[None, None]
    assert torch.equal(module.middle(window), window[..., compared])


def test_loss_of_a_step_knows_the_target_field_only() -> None:
    net, optimizer = nn.Identity(), partial(torch.optim.Adam)
    module = TargetFieldModule(net=net, sample_rate=8000, loss_weights={"l1": 1.0}, optimizer=optimizer, target_samples=2)
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    clean = torch.zeros(1, 1, 6)
    corrupted = torch.tensor([[[9.0, 9.0, 1.0, 3.0, 9.0, 9.0]]])
    assert module.training_step({"clean": clean, "corrupted": corrupted, "index": torch.zeros(1)}, 0).item() == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stacks": 0}, "stacks=0 must be a whole number"),
        ({"head_channels": (4,)}, r"head_channels=\[4\] must be two numbers"),
        ({"segment_samples": 12}, "segment_samples=12 must be at least 13, what an output sees"),
    ],
)
def test_wrong_settings_are_refused_by_their_keys(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WaveNetDenoiser(**{**SMALL, **settings})
