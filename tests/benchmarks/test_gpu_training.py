"""The table of training throughput: its columns, the operations of a step, and a share of the peak that a GPU can have."""

import pytest
import pytorch_lightning as pl
import torch

from benchmarks.gpu_training import HEAD, PEAK_TFLOPS, Measured, peak_of, row
from tests.models.small import description, fresh, shrunk
from tests.models.training import OneBatch
from tests.one_gpu import NEEDS_GPU


@pytest.mark.parametrize(("name", "peak"), [("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756), ("cpu", None)])
def test_peak_is_that_of_the_card(name: str, peak: float | None) -> None:
    assert peak_of(name) == peak


def test_every_step_is_timed_after_the_warm_up_and_operations_are_those_of_one() -> None:
    clock = Measured(steps=2)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(accelerator="cpu", max_epochs=9, limit_val_batches=0, callbacks=[clock], **quiet)
    trainer.fit(fresh(shrunk(description("unet_small"))), OneBatch(2, 1))
    assert clock.seconds > 0 and clock.flops > 0 and clock.precision == "32-true"
    assert clock._done == 7


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.slow
def test_row_of_a_cpu_has_no_share_of_a_peak() -> None:
    model, _, steps, tflops, share, _, name = cells(row("unet_small", "cpu", 2, None))
    assert model.startswith("unet_small, 16x1x") and share == "-" and name == "cpu"
    assert float(steps) > 0 and float(tflops) > 0 and len(cells(HEAD.splitlines()[0])) == 7


@pytest.mark.gpu
@NEEDS_GPU
@pytest.mark.parametrize("model", ["unet_published", "mugan_published"])
def test_published_networks_train_at_a_share_of_the_peak(model: str) -> None:
    peak = peak_of(torch.cuda.get_device_name()) or max(PEAK_TFLOPS.values())
    line = row(model, "cuda", 20, peak)
    print(f"{HEAD}\n{line}")
    _, precision, steps, _, share, stall, _ = cells(line)
    assert precision in ("bf16-mixed", "32-true") and float(steps) > 0
    assert 0 < float(share.strip("%")) < 100
    assert float(stall.strip("%")) < 50
