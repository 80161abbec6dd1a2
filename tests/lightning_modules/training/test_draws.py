"""Draws of a training step: the same for a seed and a batch, others for another seed, batch or purpose."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_modules.training import draws
from lightning_modules.training.draws import generator_of, own_generator_of, own_rows
from tests.lightning_modules import tiny

ROOT = Path(__file__).parents[3] / "lightning_modules"
OWNERS = {"training/draws.py", "callbacks/common.py", "commands/arrays.py"}
ALWAYS_ALIKE = {
    *("commands/pace.py", "commands/step_time.py", "commands/export.py", "commands/parity.py"),
    *("metrics/probes/two_samples.py", "metrics/probes/preecho.py"),
}
"""Trials and probes, which are the same in every run."""
"""Who may seed: the draws of a step, dropout's of an epoch, and who is handed a seed by a caller from Python."""


def drawn(seed: int = 0, purpose: str = "plan", *index: int) -> list[float]:
    return torch.rand(4, generator=generator_of(seed, purpose, torch.tensor(index or (7,)))).tolist()


def test_same_seed_purpose_and_batch_draw_the_same_and_any_other_something_else() -> None:
    assert drawn(3, "plan", 9, 8) == drawn(3, "plan", 8, 9)
    different = [drawn(0, "plan", 1), drawn(1, "plan", 0), drawn(0, "plan", 0), drawn(0, "shaping", 0), drawn(2**32, "plan", 0)]
    assert len({tuple(values) for values in different}) == len(different)


def test_processes_that_train_together_draw_once_for_all_of_their_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(rank: int, world_size: int, index: list[int]) -> torch.Tensor:
        monkeypatch.setattr(draws, "rank_and_world_size", lambda: (rank, world_size))
        draw = generator_of(0, "shaping", torch.tensor(index))
        return own_rows(lambda count: torch.rand(count, 2, generator=draw), len(index))

    alone = rows(0, 1, [6, 7, 8, 9])
    shares = [rows(0, 2, [6, 8]), rows(1, 2, [7, 9])]
    assert torch.equal(torch.stack(shares, dim=1).flatten(0, 1), alone)
    own = [torch.rand(2, generator=own_generator_of(0, "code", torch.tensor(index))).tolist() for index in ([6, 8], [7, 9])]
    assert own[0] != own[1]


def test_nothing_else_of_a_training_seeds_a_generator() -> None:
    seeding = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("manual_seed", "seed_all", "default_rng")
    }
    unknown = seeding - OWNERS - ALWAYS_ALIKE
    assert not unknown, f"{unknown} seed by themselves: draw from training.draws.generator_of(self.seed, ...)"


DRAWS: dict[str, Callable[[Any, torch.Tensor], Any]] = {
    "progressive": lambda module, index: module.plan(index),
    "single_step": lambda module, index: module.progress(index),
}


@pytest.mark.parametrize("recipe", list(DRAWS))
def test_what_a_step_draws_follows_the_seed_of_the_run(recipe: str) -> None:
    def sequence(seed: int) -> list[Any]:
        module = tiny.make(recipe)
        module.seed = seed
        return [DRAWS[recipe](module, torch.tensor([number, number + 1])) for number in range(12)]

    assert sequence(1) == sequence(1)
    assert sequence(1) != sequence(2)


PENALIZED = {"adversarial": {"penalty_weights": {"gradient_penalty": 1.0}}}


@pytest.mark.parametrize("recipe", ["adversarial", "collaborative_gan"])
def test_discriminator_learns_by_draws_of_the_runs_seed(recipe: str) -> None:
    def trained(seed: int) -> list[float]:
        module = tiny.fit(tiny.make(recipe, **PENALIZED.get(recipe, {})), seed=seed)
        return torch.cat([value.flatten() for value in module.discriminator.parameters()]).tolist()

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


@pytest.mark.parametrize("recipe", ["adversarial", "collaborative_gan", "progressive", "single_step"])
def test_resumed_run_draws_what_the_uninterrupted_one_drew(recipe: str, tmp_path: Path) -> None:
    def trained(folder: Path, *epochs: int) -> list[float]:
        for until in epochs:
            module = tiny.make(recipe, **PENALIZED.get(recipe, {}))
            tiny.fit(module, seed=5, epochs=until, folder=folder)
        return torch.cat([value.flatten() for value in module.parameters()]).tolist()

    assert trained(tmp_path / "whole", 2) == trained(tmp_path / "parts", 1, 2)
