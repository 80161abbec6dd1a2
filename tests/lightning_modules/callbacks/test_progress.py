"""What a progress bar says, and when there is one."""

from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.callbacks.epoch_lines import EpochLines, place_of
from lightning_modules.callbacks.progress import ScoringBar, TrainingBar, name_method, told_of, with_bar


def trainer(best: tuple[float, int] | None, latest: float | None, **metrics: float) -> Any:
    lines = EpochLines("val/si_sdr_db", "max")
    lines.best, lines.latest = best, latest
    logged = {name.replace("__", "/"): torch.tensor(value) for name, value in metrics.items()}
    return SimpleNamespace(callbacks=[lines], callback_metrics=logged, current_epoch=2, max_epochs=20)


def test_bar_tells_terms_and_the_monitored_metric_with_units() -> None:
    logged = {"train__loss": -41.5, "train__log_mse": -41.5, "train__l1": 0.01, "discriminator__loss": 1.4, "val__lsd": 1.0}
    at = trainer((12.5, 2), 12.25, **logged)
    told = {"val/si_sdr_db": "12.25 dB (best 12.50 dB)", "log_mse": "-41.50 dB", "l1": "0.01 FS"}
    assert list(told_of(at, {}).items()) == list(told.items())  # in this order: a narrow terminal cuts the end
    assert place_of(at, None) == "epoch 3/20"


def test_bar_tells_how_often_a_discriminator_is_right() -> None:
    accuracies = {"discriminator__accuracy_clean": 0.75, "discriminator__accuracy_restored": 0.5}
    told = told_of(trainer(None, None, train__l1=0.5, **accuracies), {})
    assert told == {"l1": "0.5 FS", "D right": "75% of clean, 50% of restored"}


def test_bar_has_no_version_number_and_reads_values_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, bar, module = [0.0], TrainingBar(), SimpleNamespace(model_config={})
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    shown: list[Any] = []
    for seconds, value in ((0.0, 1.0), (0.4, 2.0), (0.6, 3.0)):
        now[0] = seconds
        shown.append(bar.get_metrics(trainer(None, None, train__l1=value), module))  # type: ignore[arg-type]
    assert shown == [{"l1": "1 FS"}, {"l1": "1 FS"}, {"l1": "3 FS"}]


@pytest.mark.parametrize(
    ("terminal", "columns", "wanted", "shown"),
    [(True, 80, True, True), (True, 80, False, False), (False, 80, True, False), (True, 0, True, False)],
)
def test_bar_is_shown_on_a_terminal_with_room_where_it_is_wanted(
    terminal: bool, columns: int, wanted: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setattr("lightning_modules.callbacks.progress.terminal_columns", lambda: columns)
    bar = TrainingBar()
    expected = {"enable_progress_bar": shown, "callbacks": [bar] if shown else []}
    assert with_bar({"enable_progress_bar": wanted}, bar, []) == expected


class Scaled(pl.LightningModule):
    """One weight towards 1, validated by its distance from it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        loss = (self.weight - 1).abs()
        self.log("train/l1", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/si_sdr_db", -(self.weight - 1).abs())

    def test_step(self, batch: Tensor, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def loader(batches: int) -> DataLoader[Any]:
    return DataLoader(torch.zeros(batches))  # type: ignore[arg-type]


def trainer_with(*callbacks: Any) -> pl.Trainer:
    options = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    return pl.Trainer(accelerator="cpu", max_epochs=2, callbacks=list(callbacks), **options)  # type: ignore[arg-type]


def test_training_shows_one_bar_with_its_scores(capfd: pytest.CaptureFixture[str]) -> None:
    trainer_with(EpochLines("val/si_sdr_db", "max"), TrainingBar()).fit(Scaled(), loader(3), loader(2))
    drawn = capfd.readouterr().out
    assert "epoch 2/2" in drawn
    assert "l1=" in drawn
    assert "val/si_sdr_db=-0.40 dB (best -0.40 dB)" in drawn
    assert "v_num" not in drawn
    assert "Validation DataLoader" not in drawn


def test_every_tested_method_is_named_and_its_bar_goes(capfd: pytest.CaptureFixture[str]) -> None:
    at = trainer_with(ScoringBar("unet"))
    for method in ("unet", "wiener"):
        name_method(at, method)
        at.test(Scaled(), loader(4), verbose=False)
    drawn = capfd.readouterr().out
    assert "testing unet: 100%" in drawn
    assert "testing wiener: 100%" in drawn
    assert "4/4" in drawn
    assert "DataLoader" not in drawn
    assert "\n" not in drawn  # no finished bar is left behind
