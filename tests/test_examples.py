"""The examples of docs/examples run, and what they compare with is right."""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from matplotlib import image

FOLDER = Path(__file__).parent.parent / "docs" / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    return load("pictures")


@pytest.fixture(scope="module")
def ideal() -> ModuleType:
    return load("ideal_iteration")


def rows(text: str) -> list[list[float]]:
    """Return the numbers of the lines of a table; a dash is NaN."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:3].strip("| ").isdigit()]
    return [[math.nan if cell == "–" else float(cell) for cell in row] for row in cells]


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["example", *arguments])
    module.main()


def test_pictures_print_a_line_for_each_step_and_save_a_strip(
    pictures: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    strip = tmp_path / "strip.png"
    run(pictures, monkeypatch, "--updates", "8", "--strip", str(strip))
    table = rows(capsys.readouterr().out)
    assert [row[0] for row in table] == list(range(pictures.STEPS + 1))
    assert all(row[1] > row[2] - 0.1 for row in table[1:]), "a step leads away from its target"
    rendered = image.imread(strip)
    assert rendered.shape[:2] == (3 * (pictures.SIZE + 2), (pictures.STEPS + 2) * (pictures.SIZE + 2))
    assert np.std(rendered[..., 0]) > 0.05


def test_resolution_of_a_step_lies_between_the_input_and_the_picture(pictures: ModuleType) -> None:
    drawn = pictures.shapes(4, torch.Generator().manual_seed(0))
    assert drawn.shape == (4, 1, 64, 64) and 0.3 < float(drawn.abs().max()) < 0.91
    errors = [float((pictures.at_resolution(drawn, step) - drawn).square().mean()) for step in range(pictures.STEPS + 1)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-10


def test_untrained_network_leaves_pictures_as_they_are(pictures: ModuleType) -> None:
    net = pictures.train(0, torch.Generator().manual_seed(0))
    coarse = pictures.at_resolution(pictures.shapes(1, torch.Generator().manual_seed(1)), 0)
    assert torch.equal(net.estimates(coarse)[-1], coarse)


def test_mean_of_the_sine_given_its_noisy_signal_is_that_of_bayes_rule(ideal: ModuleType) -> None:
    _, noisy = ideal.draw(3, torch.Generator().manual_seed(0))
    noisy = 0.05 * noisy  # so that no pitch is certain
    vectors = ideal.basis().double().numpy()
    for signal, mean in zip(noisy[:, 0].double().numpy(), ideal.posterior_mean(noisy)[:, 0], strict=True):
        likelihoods, means = [], []
        for pitch in vectors:
            covariance = np.eye(len(signal)) + pitch.T @ pitch  # of s + n
            solved = np.linalg.solve(covariance, signal)
            likelihoods.append(math.exp(-signal @ solved / 2) / math.sqrt(np.linalg.det(pitch @ pitch.T + np.eye(2))))
            means.append(pitch.T @ pitch @ solved)
        weights = np.array(likelihoods) / sum(likelihoods)
        np.testing.assert_allclose(mean, weights @ np.array(means), atol=1e-5)


def test_ideal_iteration_is_a_bound_that_falls_short_of_its_target_by_the_fourth_power_of_progress(
    ideal: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(ideal, monkeypatch, "--updates", "2")
    table = rows(capsys.readouterr().out)
    assert [row[0] for row in table] == list(range(1, ideal.STEPS + 1))
    assert all(best <= of_network for _, best, of_network, _, _ in table)
    last = table[-1][1]
    assert all(row[1] == pytest.approx(last * (row[0] / ideal.STEPS) ** 4, abs=2e-5) for row in table)
    # two unknown levels of known pitch: 2 / T of the noise is left, times the gain
    assert last == pytest.approx(2 / ideal.SAMPLES * ideal.GAIN, rel=0.15)
