"""The make-believe device refuses what MPS refuses, and computes what the CPU computes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.device_like_mps import DEVICE, Held, has_kernel


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


FAULTS: dict[str, tuple[type[Exception], Callable[[Tensor], Any]]] = {
    "double": (TypeError, lambda x: x.double()),
    "to double": (TypeError, lambda x: x.to(torch.float64)),
    "complex double": (TypeError, lambda x: x.to(torch.complex128)),
    "double on the way to the CPU": (TypeError, lambda x: x.to("cpu", torch.float64)),
    "double on the way from the CPU": (TypeError, lambda x: torch.zeros(4, dtype=torch.float64).to(x.device)),
    "sum in double": (TypeError, lambda x: x.sum(dtype=torch.float64)),
    "table in double": (TypeError, lambda x: torch.arange(4, dtype=torch.float64, device=x.device)),
    "values in double": (TypeError, lambda x: torch.tensor([0.5], dtype=torch.float64, device=x.device)),
    "scalar in double": (RuntimeError, lambda x: x * torch.tensor(0.5, dtype=torch.float64)),
    "product with a double": (RuntimeError, lambda x: x * torch.zeros(4, dtype=torch.float64)),
    "table left on the CPU": (RuntimeError, lambda x: x * torch.hann_window(4)),
    "index from the device": (RuntimeError, lambda x: torch.zeros(4)[x.abs().long() * 0]),
    "generator on the CPU": (RuntimeError, lambda x: x.normal_(generator=torch.Generator())),
    "operator without a kernel": (NotImplementedError, lambda x: torch.linalg.eigvals(x)),
    "array": (TypeError, lambda x: x.numpy()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_seen(name: str, device: torch.device) -> None:
    error, fault = FAULTS[name]
    with pytest.raises(error, match="MPS|same device|mps"):
        fault(draw(4, 4).to(device))


def test_only_way_to_double_precision_leads_over_the_cpu(device: torch.device) -> None:
    values = draw(4)
    assert torch.equal(values.to(device).cpu().double(), values.double())
    assert torch.equal(values.double().to(device, torch.float32).cpu(), values)
    assert isinstance(values.to(device), Held) and values.to(device).device == DEVICE


def test_kernels_are_those_of_the_table_of_torch() -> None:
    assert has_kernel("add.Tensor") and has_kernel("_fft_r2c") and has_kernel("conv1d")
    assert has_kernel("mkldnn_rnn_layer") and has_kernel("mkldnn_rnn_layer_backward")  # by their names on MPS
    assert not has_kernel("linalg_eig") and not has_kernel("geqrf")


def calculation(x: Tensor) -> Tensor:
    """Use views, signs that torch keeps for later, random access and a helper of its own."""
    spectrum = torch.fft.rfft(x)
    spectrum[..., -2:] += spectrum[..., :2].flip(-1).conj()
    y = torch.fft.irfft(spectrum, n=x.shape[-1])
    y[:, torch.tensor([1])] *= 2.0
    y = y.clone().transpose_(0, 1).t_()
    return y.quantile(0.3, dim=-1) + spectrum.conj().imag.sum(-1) + torch.tensor(0.5)


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_device_computes_what_the_cpu_computes(device: torch.device, mode: Callable[[], Any]) -> None:
    x = draw(3, 8)
    with mode():
        assert torch.equal(calculation(x.to(device)).cpu(), calculation(x.clone()))


def test_device_learns_what_the_cpu_learns(device: torch.device) -> None:
    weights = []
    for place in ("cpu", device):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.PReLU(), nn.BatchNorm1d(2)).to(place)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            net(draw(2, 1, 8).to(place)).square().mean().log().backward()
            optimizer.step()
        weights.append(torch.cat([parameter.detach().cpu().flatten() for parameter in net.parameters()]))
    assert torch.equal(*weights)
