"""A missing package is told before Hydra fails to find its files."""

import pytest

from sweeps import extras
from sweeps.extras import PLUGINS, missing_extra

SWEEPS_WITH_OPTUNA = ("tpe", "pareto")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_is_installed", lambda plugin: False)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    "choice", ["hydra/launcher=ray", "hydra/launcher=submitit_local", "hydra/launcher=submitit_slurm", "hydra/sweeper=optuna"]
)
def test_choice_on_the_command_line_is_named(choice: str) -> None:
    told = missing_extra(["-m", "model.optimizer.lr=1e-3,1e-4", choice])
    assert told == f"{choice} needs packages that are not installed; add them with: pip install -e '.[sweeps]'"


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("sweep", SWEEPS_WITH_OPTUNA)
def test_choice_of_a_sweep_is_named(sweep: str) -> None:
    assert (missing_extra([f"sweep={sweep}"]) or "").startswith("hydra/sweeper=optuna needs")


@pytest.mark.usefixtures("nothing_installed")
def test_what_hydra_brings_itself_is_there() -> None:
    assert missing_extra(["hydra/launcher=basic", "hydra/sweeper=basic", "sweep=seeds", "sweep=nonsense"]) is None


def test_installed_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLUGINS, "ray", "json")
    assert missing_extra(["hydra/launcher=ray"]) is None
    monkeypatch.setitem(PLUGINS, "ray", "no_such_namespace.plugin")
    assert missing_extra(["hydra/launcher=ray"]) is not None
