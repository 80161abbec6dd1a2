"""The way of a method in steps is told pair by pair with equal weight, from the input to the last estimate."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.metrics.snr import si_sdr_db
from lightning_modules.runs.by_step import curve_of, draw_steps, quarters, score_by_step, write_steps
from lightning_modules.stepwise import Stepwise

RATE_HZ = 4000


class Halving(Stepwise):
    """Knows the noise by its sign, and halves it in each of two steps."""

    steps = 2

    def estimates(self, corrupted: Tensor) -> Tensor:
        return torch.stack([corrupted, corrupted - 0.05, corrupted - 0.075])

    def step_scores(self, estimates: Tensor, corrupted: Tensor) -> dict[str, Tensor]:
        return {"left": (estimates - corrupted).mean(dim=(1, 2))}


class Pairs(torch.utils.data.Dataset[dict[str, Any]]):
    """A tone, and the tone with an offset of 0.1, in two levels; also the data module they are the test pairs of."""

    sample_rate = RATE_HZ
    cutoff_hz = None

    def test_dataloader(self) -> torch.utils.data.DataLoader[Any]:
        return torch.utils.data.DataLoader(self)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict[str, Any]:
        clean = (index + 1) * torch.sin(torch.arange(4096) * 0.3)[None]
        return {"clean": clean, "corrupted": clean + 0.1, "index": index}


def module() -> Halving:
    return Halving(nn.Identity(), RATE_HZ)


def test_means_over_the_pairs_asked_for_by_step() -> None:
    means = score_by_step(module(), Pairs(), [0, 1])
    for step, offset in enumerate((0.1, 0.05, 0.025)):
        single = [si_sdr_db((Pairs()[index]["clean"] + offset)[None], Pairs()[index]["clean"][None]).item() for index in (0, 1)]
        assert means["si_sdr_db"][step] == pytest.approx(sum(single) / 2, abs=1e-3)
    assert means["lsd"][0] > means["lsd"][2] > 0
    assert means["left"] == pytest.approx([0.0, -0.05, -0.075], abs=1e-6)
    assert set(means) == {"left", "snr_db", "si_sdr_db", "lsd", "lsd_hf"}


def test_table_and_pictures_are_written(tmp_path: Path) -> None:
    means = write_steps(tmp_path, module(), Pairs(), [0, 1])
    pictures = draw_steps(tmp_path, module(), Pairs(), means, 1, "tone, 0.0 to 1.0 s")
    with (tmp_path / "by_step.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["lsd"]) for row in rows] == means["lsd"]
    assert [row["step"] for row in rows] == ["0", "1", "2"]
    assert [picture.relative_to(tmp_path).as_posix() for picture in pictures] == ["by_step.png", "examples/0001_steps.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize(
    ("steps", "expected"), [(8, [0, 2, 4, 6, 8]), (100, [0, 25, 50, 75, 100]), (3, [0, 1, 2, 3]), (1, [0, 1])]
)
def test_quarters_of_the_way(steps: int, expected: list[int]) -> None:
    assert quarters(steps) == expected


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("snr_db", "signal-to-noise ratio\n(higher is better)", "dB"),
        ("lsd", "log-spectral distance\n(lower is better)", ""),
        ("logit", "the method's own logit", ""),
    ],
)
def test_curve_says_what_it_shows_and_which_way_is_better(name: str, title: str, unit: str) -> None:
    curve = curve_of(name, [1.0, 2.0])
    assert (curve.title, curve.unit) == (title, unit)
