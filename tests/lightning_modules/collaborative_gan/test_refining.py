"""What refinement does to a restored signal, and what it leaves alone."""

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from lightning_modules.collaborative_gan import CollaborativeGANModule
from models.refinement import Refinement
from tests.lightning_modules.collaborative_gan.conftest import QUIET, Examples, make, same, state_of

CORRUPTED = torch.randn(2, 2, 301, generator=torch.Generator().manual_seed(1))


def logit(module: CollaborativeGANModule, signal: Tensor) -> Tensor:
    """Return D's mean logit of every channel, (B * C,)."""
    assert module.discriminator is not None
    return module.discriminator(signal, CORRUPTED)[0].mean(dim=(1, 2))


@torch.no_grad()
def test_no_steps_are_the_generator_bit_for_bit() -> None:
    module = make().eval()
    assert torch.equal(module.with_num_steps(0).restore(CORRUPTED), module.net(CORRUPTED))


@torch.no_grad()
def test_refined_signals_please_the_discriminator_at_least_as_well_with_every_step() -> None:
    module = make().eval()
    estimates = module.estimates(CORRUPTED)
    logits = torch.stack([logit(module, signal) for signal in estimates])
    assert estimates.shape == (5, 2, 2, 301)
    assert (logits[1:] >= logits[:-1] - 1e-5).all()
    assert (logits[-1] > logits[0]).all()
    assert torch.equal(estimates[0], module.net(CORRUPTED))
    assert torch.equal(estimates[-1], module.restore(CORRUPTED))
    assert torch.equal(estimates[2], module.with_num_steps(2).restore(CORRUPTED))


def test_layer_is_the_restored_signal_if_none_is_named() -> None:
    assert make(layer=None).layer == 3


@torch.no_grad()
def test_steps_of_another_size_leave_the_method_itself_alone() -> None:
    module = make().eval()
    usual = module.restore(CORRUPTED)
    longer = module.with_step_size(0.4).restore(CORRUPTED)
    assert not torch.equal(longer, usual)
    assert torch.equal(longer, make(refinement=Refinement(steps=4, step_size=0.4)).eval().restore(CORRUPTED))
    assert torch.equal(module.restore(CORRUPTED), usual)


@torch.no_grad()
def test_estimates_are_told_with_their_mean_logits() -> None:
    module = make().eval()
    mono = CORRUPTED[:1, :1]
    estimates = module.estimates(mono)[:, 0]
    logits = module.step_scores(estimates, mono)["logit"]
    assert module.discriminator is not None
    expected = [module.discriminator(estimate[None], mono)[0].mean().item() for estimate in estimates]
    assert logits.tolist() == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
def test_logit_of_an_estimate_is_the_mean_over_its_channels() -> None:
    module = make().eval()
    estimates = module.estimates(CORRUPTED[:1])[:, 0]  # (5, 2, 301)
    logits = module.step_scores(estimates, CORRUPTED[:1])["logit"]
    by_channel = [module.step_scores(estimates[:, c : c + 1], CORRUPTED[:1, c : c + 1])["logit"] for c in range(2)]
    assert torch.allclose(logits, torch.stack(by_channel).mean(dim=0), atol=1e-5)


def test_refinement_freezes_dropout_and_statistics_and_leaves_no_gradient() -> None:
    module = make().train()
    before = state_of(module)
    first, second = module.restore(CORRUPTED), module.restore(CORRUPTED)
    assert torch.equal(first, second)
    assert same(before, state_of(module))
    assert all(parameter.grad is None for parameter in module.parameters())
    assert module.net.training


def test_refines_inside_the_test_loop_and_under_bf16() -> None:
    for precision in ("32-true", "bf16-mixed"):
        module = make()
        trainer = pl.Trainer(precision=precision, **QUIET)  # type: ignore[arg-type]
        trainer.test(module, datamodule=Examples(), verbose=False)
        batch = next(iter(Examples().test_dataloader()))
        if precision == "32-true":
            scored = module.test_rows[0]["snr_db"]
            error = module.eval().restore(batch["corrupted"])[0] - batch["clean"][0]
            expected = 10 * torch.log10(batch["clean"][0].var() / error.var())  # levels are of signals without their means
            assert scored == pytest.approx(expected.item(), abs=1e-3)


def test_penalty_is_the_weighted_sum_of_the_two_distances() -> None:
    module = make(proximity=2.0, low_band=3.0, low_band_hz=1500.0)
    time = torch.arange(2000.0) / 4000
    low, high = (torch.sin(2 * torch.pi * hz * time)[None, None] for hz in (200.0, 1900.0))
    penalty = module._penalty(low, first=high)
    assert penalty(high).item() == pytest.approx(3.0 * 1.0, rel=0.05)  # of the low band, all of x is missing
    assert penalty(low + high).item() == pytest.approx(2.0 * 1.0, rel=0.05)  # the low band is right, y_0 is left by x


@torch.no_grad()
def test_penalty_holds_the_result_back() -> None:
    settings = {"refinement": Refinement(steps=20, step_size=5.0, rule="sgd")}
    free, held = (make(**settings, proximity=factor).eval() for factor in (0.0, 3.0))
    strayed = [float((module.restore(CORRUPTED) - module.net(CORRUPTED)).square().mean()) for module in (free, held)]
    assert strayed[1] < strayed[0]
