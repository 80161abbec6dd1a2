"""Write a sweep as Weights & Biases takes it: `python sweeps/wandb_sweep.py sweep=mugan_loss_weights data.root=DIR`.

Its controller hands out the values, and agents on any number of machines run `train.py` with them.
"""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, QuotedString

if __name__ == "__main__":  # this folder's files are no modules of their own
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from conf.compose import exit_code_of
from conf.schema.sentences import listed
from conf.settings import TrainSettings
from conf.spelling import spelled
from lightning_modules.runs.json_file import write_whole
from machine.console import printable, steady_streams
from sweeps.arguments import as_hydra_takes
from sweeps.dry_run import planned_job
from sweeps.extras import SWEEPS
from sweeps.objectives import directions

AGENT = ("${env}", "${interpreter}", "${program}")
VALUES = "${args_no_hyphens}"
"""Stand-ins of a sweep file, in whose place an agent puts what it runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    steady_streams()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("overrides", nargs="+", metavar="KEY=VALUE", help="sweep=NAME, and whatever else train.py takes with -m")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the sweep file; NAME_wandb.yaml")
    options = parser.parse_args(arguments)
    return exit_code_of(lambda: write(options.overrides, options.output))


def write(overrides: Sequence[str], output: Path | None) -> int:
    """Write the sweep file, print the commands that start the sweep, and return the exit code.

    Raises:
        ValueError: for a sweep that there is not, or values that no training can have.
    """
    name, content = _read([value for key, _, value in (text.partition("=") for text in overrides) if key == "sweep"])
    parameters, fixed = divided(content, [override for override in overrides if not override.startswith("sweep=")])
    first = [f"{key}={text.split(',')[0]}" for key, text in parameters.items() if "(" not in text]
    with initialize_config_module("conf"):
        settings = planned_job("train", as_hydra_takes([*fixed, *first])[0]).settings
    path = output or Path(f"{name}_wandb.yaml")
    write_whole(path, yaml.safe_dump(sweep_file(name, parameters, fixed, settings, content), sort_keys=False))
    project, entity = (settings.config["logger"]["wandb"][key] for key in ("project", "entity"))
    print(f"wandb sweep {shlex.quote(printable(path))}")
    agents = "in the folder of train.py, as often as jobs are to run at once"
    print(f"wandb agent {entity or 'ENTITY'}/{project}/SWEEP_ID   # {agents}")
    return 0


def divided(content: Mapping[str, Any], given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the values of what a sweep varies, by key, and the overrides that all its runs share.

    Args:
        content: of the sweep's file.
        given: overrides, which narrow the sweep or add to it.

    Raises:
        ValueError: if nothing is varied.
    """
    parser = OverridesParser.create()
    named = [f"{key}={text}" for key, text in content["hydra"]["sweeper"]["params"].items()]
    parsed = {override.lstrip("+~").partition("=")[0]: parser.parse_override(override) for override in (*named, *given)}
    swept = {key: str(value.input_line).partition("=")[2] for key, value in parsed.items() if value.is_sweep_override()}
    if not swept:
        raise ValueError("nothing varies: give a key several values, such as seed=0,1,2")
    own = [override for override in _overrides_of(content) if override.partition("=")[0] not in parsed]
    return swept, [*own, *(str(value.input_line) for value in parsed.values() if not value.is_sweep_override())]


def sweep_file(
    name: str, parameters: Mapping[str, str], fixed: Sequence[str], settings: TrainSettings, content: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what stands in a sweep file.

    Args:
        name: of the sweep.
        parameters: values of what is varied, as on Hydra's command line.
        fixed: overrides of all runs.
        settings: of one of the runs.
        content: of the sweep's own file.
    """
    described = {key: parameter(f"{key}={text}") for key, text in parameters.items()}
    objective, trials = settings.config["objectives"][0], content["hydra"]["sweeper"].get("n_trials")
    goal = directions([objective])[0]
    own = [f"group={spelled(name)}", f"run_name={name}-${{oc.env:WANDB_RUN_ID}}", "logger.wandb.offline=false"]
    given = {override.partition("=")[0] for override in fixed}
    added = [override for override in own if override.partition("=")[0] not in given]
    return {
        "program": "train.py",
        "name": name,
        "project": settings.config["logger"]["wandb"]["project"],
        "method": "grid" if all("values" in entry for entry in described.values()) and not trials else "bayes",
        **({"run_cap": int(trials)} if trials else {}),
        "metric": {"name": objective, "goal": goal},
        "parameters": described,
        "command": [*AGENT, *fixed, *added, VALUES],
    }


def parameter(override: str) -> dict[str, Any]:
    """Return how W&B describes the values of a key.

    >>> parameter("lr=1e-3,2e-3"), parameter("steps=range(2,7,2)")
    ({'values': [0.001, 0.002]}, {'values': [2, 4, 6]})
    >>> parameter("lr=tag(log, interval(0.001, 0.1))")
    {'distribution': 'log_uniform_values', 'min': 0.001, 'max': 0.1}
    """
    parsed = OverridesParser.create().parse_override(override)
    value = parsed.value()
    if not isinstance(value, IntervalSweep):
        return {"values": [_plain(entry) for entry in parsed.sweep_iterator()]}
    if isinstance(value.start, int) and isinstance(value.end, int) and "log" not in value.tags:
        return {"distribution": "int_uniform", "min": value.start, "max": value.end}
    kind = "log_uniform_values" if "log" in value.tags else "uniform"
    return {"distribution": kind, "min": float(value.start or 0), "max": float(value.end or 0)}


def _plain(entry: Any) -> Any:
    """Return an entry of a list of values: a group of them, or a text with what is no word in it, as the command line has it."""
    if isinstance(entry, dict | list | QuotedString):
        return Override._get_value_element_as_str(entry)
    return entry


def _read(names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    known = sorted(path.stem for path in SWEEPS.glob("*.yaml"))
    name = names[-1] if names else ""
    if name not in known:
        raise ValueError(f"sweep={name or 'null'} must be {listed(known, 'or')}")
    return name, yaml.safe_load((SWEEPS / f"{name}.yaml").read_text(encoding="utf-8"))


def _overrides_of(content: Mapping[str, Any]) -> list[str]:
    """Return what the file of a sweep says of its jobs, as overrides."""
    entries = [entry for entry in content.get("defaults") or [] if isinstance(entry, dict)]
    chosen = [(key.removeprefix("override ").lstrip("/"), value) for entry in entries for key, value in entry.items()]
    own = {key: value for key, value in content.items() if key not in ("defaults", "hydra")}
    choices = [f"{key}={value}" for key, value in chosen if not key.startswith("hydra")]
    return [*choices, *(f"{key}={spelled(value)}" for key, value in _flat(own))]


def _flat(values: Mapping[str, Any], place: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        found += _flat(value, f"{place}{key}.") if isinstance(value, Mapping) else [(f"{place}{key}", value)]
    return found


if __name__ == "__main__":
    sys.exit(main())
