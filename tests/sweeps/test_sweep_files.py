"""Every named sweep composes, all its jobs included, and is where and what it says."""

import itertools
import re
from typing import Any

import pytest
import torch
import yaml
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from conf.compose import FOLDER, plain
from lightning_modules.losses.reconstruction import RECONSTRUCTION_LOSSES, ReconstructionLoss
from sweeps.extras import SWEEPS, missing_extra

NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SWEEPS.glob("*.yaml"))}
NEEDED = [
    pytest.param(name, marks=pytest.mark.skipif(missing_extra([f"sweep={name}"]) is not None, reason="needs the sweeps extra"))
    for name in FILES
]
JUDGES = {"discriminator": "adversarial", "autoencoder": "feature"}
"""Networks by the loss without which there is none."""
ACTS = 0.05
"""Share of a gradient."""
PAGE = (FOLDER.parent / "docs" / "sweeps.md").read_text(encoding="utf-8")


def composed(name: str, *overrides: str, **options: Any) -> DictConfig:
    with initialize_config_module("conf"):
        return compose("train", overrides=[f"sweep={name}", *NAMES, *overrides], **options)


def values(key: str, text: str) -> list[str]:
    """Return what a sweep gives a key: every choice, or both ends of an interval."""
    override = OverridesParser.create().parse_overrides([f"{key}={text}"])[0]
    if override.is_interval_sweep():
        interval: Any = override.value()
        return [f"{key}={interval.start}", f"{key}={interval.end}"]
    if override.is_sweep_override():
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    return [f"{key}={text}"]


@pytest.mark.parametrize("name", NEEDED)
def test_every_job_of_every_sweep_composes(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    swept = [values(key, str(text)) for key, text in params.items()]
    groups = [choices for choices in swept if choices[0].split("=")[0] == "model"]
    for choice in itertools.product(*groups):
        others = [choices for choices in swept if choices not in groups]
        for number in range(max(map(len, others))):
            job = [choices[number % len(choices)] for choices in others]
            assert plain(composed(name, *choice, *job))


@pytest.mark.parametrize("name", FILES)
def test_sweep_has_a_folder_of_its_name_so_that_it_can_be_continued(name: str) -> None:
    assert yaml.safe_load(FILES[name])["hydra"]["sweep"]["dir"] == f"multirun/{name}"


def acting(job: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a job's values come to: those of a network that a weight of 0 leaves out do nothing."""
    idle = [part for part, loss in JUDGES.items() if float(job.get(f"model.loss_weights.{loss}", 1)) == 0]
    return tuple((key, value) for key, value in job.items() if not any(part in key for part in idle))


@pytest.mark.parametrize("name", FILES)
def test_no_two_jobs_of_a_sweep_do_the_same(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    swept = [values(key, str(text)) for key, text in params.items()]
    jobs = [acting(dict(value.split("=") for value in job)) for job in itertools.product(*swept)]
    assert len(set(jobs)) == len(jobs)


def share_of(description: dict[str, Any], loss: str, weight: float) -> float:
    """Return the share of a loss in the gradient that a restored signal gets, of noise at 10 dB on noise of a level of 0.1."""
    weights = {name: description["loss_weights"].get(name, 0.0) for name in RECONSTRUCTION_LOSSES} | {loss: weight}
    clean, noise = torch.randn(2, 2, 1, 8192, generator=torch.Generator().manual_seed(0)) * 0.1
    restored = (clean + 0.316 * noise).requires_grad_()
    terms = ReconstructionLoss(weights).terms(restored, clean)
    norms = {
        name: weights[name] * float(torch.autograd.grad(term, restored, retain_graph=True)[0].norm())
        for name, term in terms.items()
    }
    return norms[loss] / sum(norms.values())


@pytest.mark.parametrize(
    ("loss", "weight", "acts"), [("l1", 1.0, False), ("l1", 100.0, True), ("mr_stft", 0.001, False), ("mr_stft", 1.0, True)]
)
def test_a_weight_acts_where_its_gradient_is_not_lost_in_that_of_the_loss_in_db(loss: str, weight: float, acts: bool) -> None:
    assert (share_of(plain(composed("learning_rates").model), loss, weight) > ACTS) == acts


@pytest.mark.parametrize("name", NEEDED)
def test_swept_weights_act_on_the_loss_that_they_stand_beside(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    swept = {key.rpartition(".")[2]: values(key, str(text)) for key, text in params.items() if "loss_weights." in key}
    for loss in {*swept} & {*RECONSTRUCTION_LOSSES}:
        largest = max(float(value.split("=")[1]) for value in swept[loss])
        assert share_of(plain(composed(name).model), loss, largest) > ACTS, loss


@pytest.mark.parametrize("name", [name for name, text in FILES.items() if " jobs" in text])
def test_number_of_jobs_is_as_stated(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    count = 1
    for key, text in params.items():
        count *= len(values(key, str(text)))
    assert f": {count} jobs" in FILES[name]


def test_every_small_method_is_swept_over_seeds() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "model").glob("*_small.yaml")}
    methods = {*files, "conv_rnn", "conv_rnn_anytime"} - {"autoencoder_small"}  # small as it is, and no restorer
    assert set(yaml.safe_load(FILES["seeds"])["hydra"]["sweeper"]["params"]["model"].split(",")) == methods


def test_readme_names_every_sweep() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("| `sweep` |"))
    assert set(re.findall(r"`([a-z_]+)`", line)) == {"sweep", *FILES}
