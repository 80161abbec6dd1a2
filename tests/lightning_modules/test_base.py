"""Evaluation happens once for all methods, touches nothing, and refuses what cannot be right."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.base import NonFiniteLossError, OracleModule, RestorationModule, clip_grad_norm, require_finite
from lightning_modules.metrics.snr import snr_db

RATE_HZ = 4000


class Pairs(pl.LightningDataModule):
    """Three pairs at 4 kHz: a tone, and the tone with noise at 10, 20 and 30 dB."""

    sample_rate = RATE_HZ
    cutoff_hz = 1000.0

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader([self.pair(index) for index in range(3)], batch_size=1)  # type: ignore[arg-type]

    @staticmethod
    def pair(index: int) -> dict[str, Any]:
        clean = torch.sin(torch.arange(4096) * 0.3)[None]
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(index))
        noise *= (clean.square().mean() / noise.square().mean() / 10 ** (index + 1)).sqrt()
        return {"clean": clean, "corrupted": clean + noise, "index": index}


class Halve(nn.Module):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted / 2


class Truth(nn.Module):
    def restore_with_clean(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        return clean


def run_test(module: RestorationModule) -> dict[str, float]:
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.test(module, datamodule=Pairs(), verbose=False)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def test_means_and_rows_of_method_and_input() -> None:
    module = RestorationModule(Halve(), RATE_HZ)
    metrics = run_test(module)
    assert [row["corrupted_snr_db"] for row in module.test_rows] == pytest.approx([10, 20, 30], abs=3e-3)
    assert metrics["test/corrupted_snr_db"] == pytest.approx(20, abs=1e-3)
    by_hand = snr_db(Pairs.pair(2)["corrupted"][None] / 2, Pairs.pair(2)["clean"][None]).item()
    assert module.test_rows[2]["snr_db"] == pytest.approx(by_hand)
    assert metrics["test/snr_db"] == pytest.approx(sum(row["snr_db"] for row in module.test_rows) / 3, rel=1e-5)


def test_testing_twice_counts_every_pair_once() -> None:
    module = RestorationModule(Halve(), RATE_HZ)
    assert run_test(module) == pytest.approx(run_test(module), rel=0, abs=0, nan_ok=True)
    assert len(module.test_rows) == 3


def test_evaluation_leaves_parameters_and_buffers_alone() -> None:
    module = RestorationModule(nn.Sequential(nn.BatchNorm1d(1), nn.Conv1d(1, 1, 1)), RATE_HZ)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    run_test(module)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_oracle_sees_the_clean_signal_in_tests_only() -> None:
    oracle = OracleModule(Truth(), RATE_HZ)
    assert run_test(oracle)["test/lsd"] == 0.0
    with pytest.raises(ValueError, match="an oracle needs the clean signal; use it with evaluate.py only"):
        oracle.restore(torch.zeros(1, 1, 8))


class Broken(nn.Module):
    """Gives samples that are no numbers."""

    def forward(self, corrupted: torch.Tensor) -> torch.Tensor:
        return torch.full_like(corrupted, torch.nan)


def test_samples_that_are_no_numbers_are_no_result() -> None:
    with pytest.raises(ValueError, match="gave NaN or infinite samples on test pair 0"):
        run_test(RestorationModule(Broken(), RATE_HZ))


def test_data_at_another_rate_are_refused() -> None:
    with pytest.raises(ValueError, match="method works at 16000 Hz and the data are at 4000 Hz; set data.sample_rate=16000"):
        run_test(RestorationModule(Halve(), 16000))


def test_finite_loss_passes_and_any_other_names_its_batch() -> None:
    batch = {"index": torch.tensor([5, 9])}
    loss = torch.tensor(1.0)
    assert require_finite(loss, batch) is loss
    for value in ("nan", "inf", "-inf"):
        with pytest.raises(NonFiniteLossError, match=r"\[5, 9\]"):
            require_finite(torch.tensor(float(value)), batch)


def with_gradients(*values: list[float]) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.zeros(len(value))) for value in values]
    for parameter, value in zip(parameters, values, strict=True):
        parameter.grad = torch.tensor(value)
    return [*parameters, nn.Parameter(torch.zeros(3))]  # the last one took no part in the loss


def test_gradient_is_scaled_to_the_norm_over_all_parameters() -> None:
    first, second, _ = parameters = with_gradients([3.0, 0.0], [4.0])
    clip_grad_norm(parameters, 1.0, torch.tensor([0]))
    torch.testing.assert_close(first.grad, torch.tensor([0.6, 0.0]))
    torch.testing.assert_close(second.grad, torch.tensor([0.8]))


@pytest.mark.parametrize("largest_norm", [None, 5.1])
def test_gradient_within_the_norm_stays_as_it_is(largest_norm: float | None) -> None:
    first, second, _ = parameters = with_gradients([3.0, 0.0], [4.0])
    clip_grad_norm(parameters, largest_norm, torch.tensor([0]))
    assert first.grad.tolist() == [3.0, 0.0] and second.grad.tolist() == [4.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("largest_norm", [None, 1.0])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_gradient_that_is_not_finite_names_its_batch(largest_norm: float | None, value: str) -> None:
    with pytest.raises(NonFiniteLossError, match=r"the gradient is not finite on the batch with indices \[5, 9\]") as caught:
        clip_grad_norm(with_gradients([1.0], [0.0, float(value)]), largest_norm, torch.tensor([5, 9]))
    assert caught.value.indices == [5, 9]


def test_indices_of_a_large_batch_are_told_in_short() -> None:
    error = NonFiniteLossError([*range(32, 48)])
    assert str(error) == "the loss is not finite on the batch with indices [32, 33, ..., 47]"
    assert error.indices == [*range(32, 48)]


def test_restored_signal_is_float32_whatever_the_network_computes_in() -> None:
    module = RestorationModule(InBfloat16(), RATE_HZ)
    assert module.restore(torch.zeros(1, 1, 4)).dtype == torch.float32


class InBfloat16(nn.Module):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted.bfloat16()


@pytest.mark.parametrize("net", [Halve(), nn.Linear(2, 2)])
def test_method_without_training_is_not_trained(net: nn.Module) -> None:
    with pytest.raises(ValueError, match="this method needs no training; score it with evaluate.py"):
        RestorationModule(net, RATE_HZ).prepare_training()
