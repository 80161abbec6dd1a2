"""Muon: matrices step by orthogonal ones, as torch's own optimizer of two-dimensional weights has it; the rest as by AdamW."""

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.training.muon import Muon, is_matrix, orthogonal


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def weights(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, generator=generator()))


def stepped(optimizer: torch.optim.Optimizer, weight: nn.Parameter, gradients: list[Tensor]) -> Tensor:
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach().clone()


@pytest.mark.parametrize("shape", [(32, 48), (64, 40), (32, 32)])
def test_matrices_step_as_torch_does(shape: tuple[int, int]) -> None:
    gradients = list(torch.randn(4, *shape, generator=generator()))
    ours, theirs = weights(*shape), weights(*shape)
    ours_stepped = stepped(Muon([ours], lr=0.01, weight_decay=0.5), ours, gradients)
    reference = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.5, adjust_lr_fn="match_rms_adamw")
    # torch's iterates in bfloat16, with 8 bits of precision; a step has a root mean square of about 0.2 * 0.01
    torch.testing.assert_close(ours_stepped, stepped(reference, theirs, gradients), rtol=0, atol=4e-4)
    assert (ours_stepped - weights(*shape)).square().mean().sqrt() > 4e-3


@pytest.mark.parametrize("shape", [(40, 64), (64, 40)])
def test_step_is_nearly_orthogonal_whatever_the_gradient(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=generator())
    found, (u, _, v) = orthogonal(matrix), torch.linalg.svd(matrix, full_matrices=False)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.6 and values.max() < 1.2
    assert torch.nn.functional.cosine_similarity(found.flatten(), (u @ v).flatten(), dim=0) > 0.98
    torch.testing.assert_close(orthogonal(1000 * matrix), found, rtol=1e-3, atol=1e-4)


def test_kernels_are_matrices_of_what_they_see() -> None:
    gradients = list(torch.randn(3, 32, 16, 3, 2, generator=generator()))
    kernel, flat = weights(32, 16, 3, 2), weights(32, 96)
    last = nn.Parameter(kernel.detach().clone(memory_format=torch.channels_last))
    expected = stepped(Muon([flat]), flat, [gradient.flatten(1) for gradient in gradients])
    torch.testing.assert_close(stepped(Muon([kernel]), kernel, gradients).flatten(1), expected)
    torch.testing.assert_close(stepped(Muon([last]), last, gradients).flatten(1), expected)


@pytest.mark.parametrize("shape", [(32,), (31, 64), (64, 31), (16, 8, 3, 3)])
def test_other_weights_step_as_by_adamw(shape: tuple[int, ...]) -> None:
    assert not is_matrix(weights(*shape))
    gradients = list(torch.randn(3, *shape, generator=generator()))
    ours, theirs = weights(*shape), weights(*shape)
    expected = stepped(torch.optim.AdamW([theirs], lr=0.02, betas=(0.8, 0.9), weight_decay=0.1), theirs, gradients)
    assert torch.equal(stepped(Muon([ours], lr=0.02, betas=(0.8, 0.9), weight_decay=0.1), ours, gradients), expected)


def test_closure_finds_the_gradients_once_and_they_stay() -> None:
    layer, calls = nn.Linear(40, 40), []
    optimizer, before = Muon(layer.parameters()), [weight.detach().clone() for weight in layer.parameters()]

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = layer(torch.ones(1, 40)).square().mean()
        loss.backward()
        calls.append(loss)
        return loss

    assert optimizer.step(closure) is calls[0] and len(calls) == 1
    assert all(weight.grad is not None for weight in layer.parameters())
    assert all(not torch.equal(weight, old) for weight, old in zip(layer.parameters(), before, strict=True))


def test_what_has_no_gradient_stays() -> None:
    layer = nn.Linear(40, 40)
    before = layer.weight.detach().clone()
    Muon(layer.parameters()).step()
    assert torch.equal(layer.weight, before)


def test_optimizer_goes_on_from_its_state() -> None:
    gradients = list(torch.randn(6, 32, 32, generator=generator()))
    whole, first = weights(32, 32), weights(32, 32)
    expected = stepped(Muon([whole]), whole, gradients)
    optimizer = Muon([first])
    second = nn.Parameter(stepped(optimizer, first, gradients[:3]))
    resumed = Muon([second])
    resumed.load_state_dict(optimizer.state_dict())
    assert torch.equal(stepped(resumed, second, gradients[3:]), expected)
