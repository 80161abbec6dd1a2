"""An operator that the device lacks is one sentence, with its name and the way to the CPU, at the door of every command."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor, nn

import restore
from conf.compose import exit_code_of
from conf.settings import EvaluateSettings, TrainSettings
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train
from models.restorer import Restorer
from models.streaming.device_limits import lacking
from tests.test_float32_on_device import ON_DEVICE, RATE_HZ, SMALL, draw


class Lacking(Restorer):
    """Needs an operator that MPS does not have."""

    reach_samples = 0

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, corrupted: Tensor) -> Tensor:
        torch.linalg.eigvals(torch.eye(2, device=corrupted.device))
        return corrupted * self.gain


SENTENCE = "MPS has no aten::linalg_eig in this version of torch; trainer.accelerator=cpu computes on the CPU"


@pytest.fixture
def lacking_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a network that needs a missing operator in place of the trained and the classical ones."""
    monkeypatch.setattr("models.unet.UNet.forward", lambda self, corrupted: Lacking().to(corrupted.device)(corrupted))
    monkeypatch.setattr("models.classical.wiener.Wiener.forward", lambda self, x: Lacking().to(x.device)(x))


def test_training_names_the_operator_that_the_device_lacks(
    train_config: Callable[..., TrainSettings], mac: torch.device, lacking_net: None, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = train_config(*SMALL, *ON_DEVICE)

    def job() -> int:
        train(settings)
        return 0

    assert exit_code_of(job) == 1
    assert re.fullmatch(f"error: {SENTENCE}", capsys.readouterr().err.strip().splitlines()[-1])


def test_evaluation_names_the_operator_that_the_device_lacks(
    evaluate_config: Callable[..., EvaluateSettings], mac: torch.device, lacking_net: None, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = evaluate_config("model=wiener", "baselines=[]", "trainer.accelerator=mps")
    assert exit_code_of(lambda: int(bool(evaluate(settings)))) == 1
    assert re.fullmatch(f"error: {SENTENCE}", capsys.readouterr().err.strip().splitlines()[-1])


def test_baseline_that_the_device_lacks_costs_its_own_row_only(
    evaluate_config: Callable[..., EvaluateSettings], mac: torch.device, lacking_net: None
) -> None:
    result = evaluate(evaluate_config("model=sinc", "baselines=[wiener]", "examples=0", "trainer.accelerator=mps"))
    (problem,) = result["problems"]
    assert re.search(SENTENCE, problem)
    assert result["metrics"]["test/snr_db"] == result["metrics"]["test/snr_db"]


def test_restoring_names_the_operator_that_the_device_lacks(
    mac: torch.device, lacking_net: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "a.wav", 0.1 * draw(RATE_HZ).numpy(), RATE_HZ)
    assert restore.main(["wiener", str(tmp_path / "a.wav"), "-o", str(tmp_path / "out"), "--device", "mps"]) == 1
    told = capsys.readouterr().err
    assert re.search(r"skipped .*a.wav: the method failed: MPS has no aten::linalg_eig in .*; use --device cpu", told)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            NotImplementedError("The operator 'aten::mode' is not currently implemented for the MPS device."),
            "MPS has no aten::mode",
        ),
        (RuntimeError("Could not run 'aten::eq' with arguments from the 'CUDA' backend. This"), "CUDA has no aten::eq"),
        (RuntimeError("\"histogram\" not implemented for 'MPS'"), "MPS has no histogram"),
        (TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't"), "MPS has no float64"),
        (RuntimeError("\"addmm\" not implemented for 'Half'"), None),
        (RuntimeError("Could not run 'aten::eq' with arguments from the 'CPU' backend."), None),
        (ValueError("'x' not implemented for 'MPS'"), None),
    ],
)
def test_errors_of_torch_are_read(error: Exception, told: str | None) -> None:
    assert lacking(error) == (told and f"{told} in this version of torch")


def test_other_errors_are_not_taken_for_limits_of_a_device() -> None:
    def job() -> int:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        exit_code_of(job)
