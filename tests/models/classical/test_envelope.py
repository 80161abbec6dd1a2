"""How a lost band's envelope goes on."""

import pytest
import torch

from models.classical.envelope import extrapolated


@pytest.mark.parametrize("exponent", [0.0, 1.5, 4.0])
def test_a_power_law_goes_on_whatever_its_exponent_and_edge(exponent: float) -> None:
    power = torch.arange(200.0).clamp(min=1).pow(-exponent)[None, :, None].expand(2, -1, 7)
    found = extrapolated(power, torch.tensor([40.0, 90.3]), least=1e-12)
    torch.testing.assert_close(found, power, rtol=2e-3, atol=0)


def test_a_rise_goes_on_level_and_a_steep_fall_by_twelve_decibels_an_octave() -> None:
    bins = torch.arange(200.0).clamp(min=1)
    both = torch.stack([bins, bins.pow(-9)])[..., None]
    found = extrapolated(both, torch.full((2,), 60.0), least=1e-30)
    assert (found[:, 150] / found[:, 75])[:, 0].log2().tolist() == pytest.approx([0, -4], abs=1e-3)


@pytest.mark.parametrize("edge_bin", [0.3, 1.0, 1.28, 2.0])
def test_an_edge_among_the_lowest_bins_has_a_finite_envelope(edge_bin: float) -> None:
    power = torch.rand(3, 33, 5, generator=torch.Generator().manual_seed(0))
    assert extrapolated(power, torch.full((3,), edge_bin), least=1e-12).isfinite().all()
