"""One network, one optimizer: what is trained, how it is clipped and scheduled."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lightning_modules.regression import RegressionModule


class Gain(nn.Module):
    """Multiply by a trained gain, 1 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.gain * corrupted


def make(**settings: object) -> RegressionModule:
    sgd = partial(torch.optim.SGD, lr=0.1)
    return RegressionModule(Gain(), 4000, loss_weights={"l2": 1.0}, optimizer=sgd, **settings)  # type: ignore[arg-type]


def test_one_step_moves_the_gain_by_rate_times_gradient() -> None:
    module = make()
    batch = {"corrupted": torch.ones(1, 1, 4), "clean": torch.zeros(1, 1, 4), "index": torch.tensor([0])}
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    optimizer = module.configure_optimizers()
    module.training_step(batch, 0).backward()
    optimizer.step()  # type: ignore[union-attr]
    assert module.net.gain.item() == pytest.approx(1.0 - 0.1 * 2.0)


def test_gradient_is_clipped_to_the_norm_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple] = []
    module = make(gradient_clip_norm=0.5)
    monkeypatch.setattr(module, "clip_gradients", lambda *arguments: calls.append(arguments))
    module.configure_gradient_clipping("optimizer")  # type: ignore[arg-type]
    assert calls == [("optimizer", 0.5, "norm")]


def test_plateau_schedule_watches_the_monitored_metric() -> None:
    module = make(scheduler=partial(ReduceLROnPlateau, mode="max"), monitor="val/snr_db")
    configured = module.configure_optimizers()
    assert configured["lr_scheduler"]["monitor"] == "val/snr_db"  # type: ignore[index, call-overload]


def test_metrics_and_loss_windows_stay_out_of_the_checkpoint() -> None:
    assert list(make().state_dict()) == ["net.gain"]
