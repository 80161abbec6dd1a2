"""What a run was made with beside its configuration: the command line, the commit and the versions of packages."""

import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from lightning_modules.runs.damage import DamagedFileError, read_json
from lightning_modules.runs.json_file import write_json

FILE = "made_with.json"
PACKAGES = ("torch", "pytorch-lightning", "torchmetrics", "numpy", "scipy", "soundfile", "soxr", "hydra-core", "omegaconf")
"""Whose versions may change what a training computes."""
ROOT = Path(__file__).parents[2]


def write_made_with(folder: Path, overrides: Sequence[str]) -> None:
    """Write it into the folder of a run.

    Args:
        folder: of the run.
        overrides: of its command line.
    """
    write_json(folder / FILE, {"overrides": list(overrides), "git_commit": git_commit(ROOT), "versions": versions()})


def versions() -> dict[str, str]:
    """Return the version of Python and of each of the packages that is installed."""
    found = {"python": python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def overrides_of(folder: Path) -> list[str] | None:
    """Return what the command line of a run said, None if its folder does not tell."""
    found = _made_with(folder).get("overrides")
    return found if isinstance(found, list) and all(isinstance(override, str) for override in found) else None


def told_differences(folder: Path, manifest_hash: str) -> list[str]:
    """Return lines about the commit, the test pairs and the versions of an earlier run, each with what there is now.

    Args:
        folder: of the earlier run.
        manifest_hash: of the test pairs there are now.
    """
    made = _made_with(folder)
    commits = made.get("git_commit"), git_commit(ROOT)
    lines = [_told("commit", *commits), _told("test pairs (manifest hash)", made.get("manifest_hash"), manifest_hash)]
    before, now = made.get("versions"), versions()
    if not isinstance(before, Mapping):
        return [*lines, "versions of packages: not known of that run"]
    others = [name for name in {**before, **now} if now.get(name) != before.get(name)]
    changed = [f"{name} {now.get(name)}, was {before.get(name)}" for name in others]
    return [*lines, f"versions of packages: {'; '.join(changed) or 'the same'}"]


def _made_with(folder: Path) -> dict[str, Any]:
    """Return what an earlier run says of itself: its result of what it came to, and what it wrote at its start."""
    found: dict[str, Any] = {}
    for name in ("result.json", FILE):
        try:
            found |= read_json(folder / name)
        except DamagedFileError:
            continue
    return found


def _told(what: str, before: object, now: object) -> str:
    if before is None:
        return f"{what}: {now}; not known of that run"
    return f"{what}: the same" if before == now else f"{what}: {now}, was {before}"


def git_commit(folder: Path) -> str | None:
    """Return the commit of a checkout, with `-dirty` when files changed; None outside of one."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
