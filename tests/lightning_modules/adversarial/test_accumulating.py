"""Gradients added up over batches: two halves of a batch come to what the whole comes to, for every network."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from lightning_modules.callbacks.budget import Budget
from tests.lightning_modules.tiny import QUIET, RECIPES, Pairs, make

SEVERAL = [name for name in RECIPES if name in ("adversarial", "collaborative_gan", "staged")]


class Parts(Pairs):
    """The same eight pairs in batches of another size."""

    def __init__(self, batch_size: int) -> None:
        super().__init__()
        self.batch_size = batch_size

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=self.batch_size)  # type: ignore[arg-type]


def fit(recipe: str, batch_size: int, epochs: int = 3, steps: int | None = None, **settings: Any) -> dict[str, torch.Tensor]:
    module = make(recipe, **settings)
    trainer = pl.Trainer(max_epochs=epochs, num_sanity_val_steps=0, enable_checkpointing=False, **QUIET)
    trainer.callbacks.append(Budget(steps))  # type: ignore[attr-defined]
    trainer.fit(module, datamodule=Parts(batch_size))
    assert module.is_between_steps
    return {name: value for name, value in module.state_dict().items() if not name.endswith("_extra_state")}


@pytest.mark.parametrize("recipe", SEVERAL)
def test_halves_of_a_batch_come_to_what_the_batch_comes_to(recipe: str) -> None:
    start = make(recipe).state_dict()
    whole, halves = fit(recipe, 4), fit(recipe, 2, accumulate_batches=2)
    assert all(torch.allclose(halves[name], value, atol=1e-6) for name, value in whole.items())
    moved = [name for name, value in whole.items() if not torch.allclose(value, start[name], atol=1e-4)]
    assert any(name.startswith("discriminator") for name in moved)


def test_parts_of_unequal_size_count_by_their_examples() -> None:
    whole, parts = fit("adversarial", 8), fit("adversarial", 3, accumulate_batches=5)  # 3, 3 and 2 of an epoch's eight pairs
    assert all(torch.allclose(parts[name], value, atol=1e-6) for name, value in whole.items())


def test_training_ends_with_a_step() -> None:
    even, odd = (fit("adversarial", 2, steps=steps, accumulate_batches=2) for steps in (4, 3))
    assert all(torch.equal(odd[name], value) for name, value in even.items())


def test_key_of_the_trainer_is_refused_with_the_one_to_use() -> None:
    with pytest.raises(ValueError, match=r"accumulate_grad_batches=2 must be 1: .* or model.accumulate_batches"):
        make("adversarial").check_accumulation(2)


def test_no_batches_are_refused() -> None:
    with pytest.raises(ValueError, match="model.accumulate_batches=0 must be"):
        make("adversarial", accumulate_batches=0)
