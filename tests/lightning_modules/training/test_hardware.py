"""The precision follows the hardware."""

import pytest
import torch

from lightning_modules.training.hardware import pick_precision


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({"avx2": True}, "32-true"), ({}, "32-true")],
)
def test_cpu_trains_in_bf16_exactly_if_it_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert pick_precision("cpu") == precision


@pytest.mark.parametrize("accelerator", ["auto", "gpu", "mps"])
def test_mps_trains_in_single_precision_whatever_the_cpu_multiplies(monkeypatch: pytest.MonkeyPatch, accelerator: str) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_precision(accelerator) == "32-true"
    assert pick_precision("cpu") == "bf16-mixed"


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), "bf16-mixed"), ((8, 0), "bf16-mixed"), ((7, 5), "32-true")])
def test_gpu_trains_in_bf16_from_ampere_on(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert pick_precision("auto") == precision
