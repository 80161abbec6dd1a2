"""Lines of a training without a terminal: what they say, and where there are none."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import Timer

from lightning_modules.callbacks.budget import Budget
from lightning_modules.callbacks.epoch_lines import EpochLines, seconds_left


def trainer(epoch: int = 0, epochs: int | None = 20, last_batch: bool = True, **metrics: float) -> Any:
    progress = SimpleNamespace(is_last_batch=last_batch, total=SimpleNamespace(ready=4 * epoch + 4))
    return SimpleNamespace(
        current_epoch=epoch,
        max_epochs=epochs,
        callbacks=[],
        callback_metrics={name.replace("__", "/"): torch.tensor(value) for name, value in metrics.items()},
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress), batch_idx=3),
        check_val_every_n_epoch=1,
        val_check_interval=1.0,
        should_stop=not last_batch,
        is_global_zero=True,
        progress_bar_callback=None,
        sanity_checking=False,
    )


def run_epoch(lines: EpochLines, at: Any, *batches: dict[str, float], value: float | None = None) -> None:
    module: Any = None
    lines.on_train_epoch_start(at, module)
    for batch in batches:
        at.callback_metrics |= {name: torch.tensor(value) for name, value in batch.items()}
        lines.on_train_batch_end(at, module)
    if value is not None:
        at.callback_metrics["val/si_sdr_db"] = torch.tensor(value)
        lines.on_validation_end(at, module)
    lines.on_train_epoch_end(at, module)


def test_line_says_terms_metric_best_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = EpochLines("val/si_sdr_db", "max")
    first = {"train/loss": 1.0, "train/log_mse": -41.0, "train/adversarial": 0.5, "discriminator/loss": 1.25}
    run_epoch(lines, trainer(0), first, {"train/log_mse": -42.0}, value=12.5)
    run_epoch(lines, trainer(1), first, value=12.25)
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "epoch 1/20: log_mse -41.50 dB, adversarial 0.5, discriminator/loss 1.25; "
        "val/si_sdr_db 12.50 dB; best 12.50 dB in epoch 1; 0.0 s; 0:00:00 left",
        "epoch 2/20: log_mse -41.00 dB, adversarial 0.5, discriminator/loss 1.25; "
        "val/si_sdr_db 12.25 dB; best 12.50 dB in epoch 1; 0.0 s; 0:00:00 left",
    ]


def test_lower_can_be_better_and_epochs_open(capsys: pytest.CaptureFixture[str]) -> None:
    lines = EpochLines("val/lsd", "min")
    for epoch, value in enumerate((2.0, 1.5, 1.75)):
        at = trainer(epoch, epochs=-1, val__lsd=value)
        lines.on_train_epoch_start(at, None)  # type: ignore[arg-type]
        lines.on_validation_end(at, None)  # type: ignore[arg-type]
        lines.on_train_epoch_end(at, None)  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines()[-1] == "epoch 3: val/lsd 1.75; best 1.5 in epoch 2; 0.0 s"


def test_epoch_without_validation_keeps_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    lines = EpochLines("val/si_sdr_db", "max")
    run_epoch(lines, trainer(0, epochs=-1), value=3.0)
    run_epoch(lines, trainer(1, epochs=-1, last_batch=False, val__si_sdr_db=3.0))
    assert capsys.readouterr().out.splitlines()[-1] == "epoch 2: best 3.00 dB in epoch 1; 0.0 s (cut short)"


def test_best_epoch_is_known_after_a_resume() -> None:
    before, after = EpochLines("val/si_sdr_db", "max"), EpochLines("val/si_sdr_db", "max")
    run_epoch(before, trainer(4), value=9.0)
    after.load_state_dict(before.state_dict())
    run_epoch(after, trainer(5), value=8.0)
    assert after.best == (9.0, 5)


def test_check_before_training_is_no_best_epoch() -> None:
    lines, at = EpochLines("val/si_sdr_db", "max"), trainer(val__si_sdr_db=50.0)
    at.sanity_checking = True
    lines.on_validation_end(at, None)  # type: ignore[arg-type]
    assert lines.best is None


@pytest.mark.parametrize(
    ("terminal", "bar", "first", "printed"),
    [
        (True, True, True, False),
        (True, False, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, False),
    ],
)
def test_lines_are_printed_where_no_progress_bar_is_seen_and_by_the_first_process(
    terminal: bool, bar: bool, first: bool, printed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = trainer()
    at.progress_bar_callback, at.is_global_zero = (object() if bar else None), first
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    run_epoch(EpochLines("val/si_sdr_db", "max"), at, value=1.0)
    assert bool(capsys.readouterr().out) == printed


def test_reader_that_has_gone_does_not_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def broken(*words: str, **options: Any) -> None:
        tried.extend(words)
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", broken)
    run_epoch(EpochLines("val/si_sdr_db", "max"), trainer(), value=1.0)
    assert any("1.00 dB" in word for word in tried)


def test_time_left_is_the_shorter_of_epochs_and_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    at = trainer(epoch=4, epochs=10)
    assert seconds_left(at, 60.0, 1.0) == 300.0
    timer = Timer({"seconds": 100})
    monkeypatch.setattr(timer, "time_elapsed", lambda *_: 40.0)
    at.callbacks = [timer]
    assert seconds_left(at, 60.0, 1.0) == 60.0
    assert seconds_left(trainer(epochs=None), 60.0, 1.0) is None
    at.callbacks = [Budget(40)]
    assert seconds_left(at, 60.0, 1.5) == 30.0


def test_validation_within_an_epoch_has_a_line_with_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    lines, at = EpochLines("val/si_sdr_db", "max"), trainer(2, last_batch=False, val__si_sdr_db=4.0)
    at.should_stop = False
    lines.on_validation_end(at, None)  # type: ignore[arg-type]
    at.callbacks, at.max_epochs = [Budget(40)], -1
    lines.on_validation_end(at, None)  # type: ignore[arg-type]
    told = "val/si_sdr_db 4.00 dB; best 4.00 dB at step 12"
    assert capsys.readouterr().out.splitlines() == [f"epoch 3/20, step 12: {told}", f"epoch 3, step 12/40: {told}"]


@pytest.mark.parametrize(("distance", "told"), [("log_mse", "feature -2.00 dB"), ("l2", "feature -2;")])
def test_term_that_is_a_level_by_configuration_has_its_unit(distance: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines, module = EpochLines("val/si_sdr_db", "max"), SimpleNamespace(model_config={"feature_distance": distance})
    at: Any = trainer(train__feature=-2.0)
    lines.on_train_epoch_start(at, module)  # type: ignore[arg-type]
    lines.on_train_batch_end(at, module)  # type: ignore[arg-type]
    lines.on_train_epoch_end(at, module)  # type: ignore[arg-type]
    assert told in capsys.readouterr().out
