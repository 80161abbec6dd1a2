"""An autoencoder learns from clean signals only, and is no restorer."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.autoencoding import AutoencoderModule, load_autoencoder
from lightning_modules.runs.evaluation import Scores, kind_of
from lightning_modules.runs.table import verdict


class Gain(nn.Module):
    """Multiply by a trained gain."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(3.0))

    def forward(self, signal: Tensor) -> Tensor:
        return self.gain * signal


def make() -> AutoencoderModule:
    module = AutoencoderModule(Gain(), 4000, {"l2": 1.0}, optimizer=partial(torch.optim.SGD, lr=0.1))
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    return module


def test_loss_is_about_the_clean_signal_alone() -> None:
    batch = {"clean": torch.ones(1, 1, 4), "corrupted": torch.full((1, 1, 4), 7.0), "index": torch.tensor([0])}
    assert make().training_step(batch, 0).item() == pytest.approx(4.0)


def test_its_score_is_about_the_clean_signal_and_counts_as_no_restoration() -> None:
    module = make()
    assert torch.equal(module.restore_pair(torch.zeros(1, 1, 2), torch.ones(1, 1, 2)), torch.full((1, 1, 2), 3.0))
    assert kind_of(module) == "oracle"
    table = [Scores("corrupted", "corrupted", {"snr_db": 1.0}), Scores("autoencoder", "oracle", {"snr_db": 9.0})]
    assert verdict(table, "snr_db") == "autoencoder is told the clean signal: its row bounds or reproduces, and restores nothing"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing", "no such run folder, checkpoint file or shipped model"), ("a.ckpt", "cannot be read as a checkpoint")],
)
def test_checkpoint_that_cannot_be_read_is_refused_by_its_key(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match=f"^model.autoencoder_checkpoint={tmp_path / name}: {reason}"):
        load_autoencoder(Gain(), str(tmp_path / name), 4000)


def test_checkpoint_of_another_method_is_refused(tmp_path: Path) -> None:
    config = {"_target_": "lightning_modules.regression.RegressionModule", "sample_rate": 4000}
    torch.save({"state_dict": {}, "model_config": config}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"model.autoencoder_checkpoint=.*a.ckpt was not written by a model=autoencoder run"):
        load_autoencoder(Gain(), str(tmp_path / "a.ckpt"), 4000)
