"""From configuration to objects: what a `_target_` names is created here, and what is wrong with it told in a sentence."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from conf.declared import declared
from conf.whole_keys import with_whole_key
from datamodules.limits import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from lightning_modules.runs.moved_names import present_names
from lightning_modules.runs.parts import beyond_device
from lightning_modules.runs.plugins import advice, is_from, plugin_folders, whitelist
from lightning_modules.signals import Interrupted

FOLDER = Path(__file__).parent
ALLOWED_PACKAGES = ("models", "lightning_modules", "datamodules", "torch.optim", "pytorch_lightning")


def instantiate(node: DictConfig, trusted: Sequence[str] = (), **extra: Any) -> Any:
    """Create the object of a configuration node, with plain lists and dicts inside.

    Args:
        node: with a `_target_`, or with several nodes that have one.
        trusted: names of packages whose classes may be created beside those of this project.
        extra: further arguments of its constructor.

    Raises:
        ValueError: what the object's own constructor found wrong, or the key of a node that cannot be created.
    """
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    try:
        allowed = whitelist(ALLOWED_PACKAGES, trusted)
        return hydra_instantiate(node, _convert_="all", _execution_whitelist_=allowed, **extra)
    except (InstantiationException, MisconfigurationException, TypeError) as error:
        told = _advice(OmegaConf.to_container(node), trusted)
        raise ValueError(f"{node._get_full_key(None)} cannot be created: {told or error}") from error
    except ValueError as error:
        raise ValueError(with_whole_key(str(error), getattr(error, "__notes__", []), node)) from error


def _advice(node: Any, trusted: Sequence[str]) -> str:
    """Say which class of a package that is not trusted is named, if there is one and its package may be trusted."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return ""
    target = str(node.get("_target_", ""))
    if "." in target and not is_from(target, (*ALLOWED_PACKAGES, *trusted)) and advice(target):
        return f"_target_ {target!r} is of no package that is trusted here{advice(target)}"
    return next((told for value in node.values() if (told := _advice(value, trusted))), "")


def create(config: Mapping[str, Any], key: str, **extra: Any) -> Any:
    """Create the object that a resolved configuration describes under a key, of the packages that it lists as plugins too.

    Raises:
        ValueError: as of `instantiate`.
    """
    return instantiate(_as_node({key: present_names(config[key])})[key], config.get("plugins") or (), **extra)


def create_group(config: Mapping[str, Any], key: str) -> list[Any]:
    """Create all objects that a resolved configuration describes under a key, by name; one alone may stand without a name.

    Raises:
        ValueError: as of `instantiate`.
    """
    described = config.get(key) or {}
    if "_target_" in described:
        return [create(config, key)]
    node = _as_node({key: present_names(described)})[key]
    return [instantiate(node[name], config.get("plugins") or ()) for name in node]


def config_of(folder: Path) -> dict[str, Any] | None:
    """Return the resolved configuration that a run was trained with, None if it is not there or damaged."""
    try:
        found = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"), resolve=True)
    except (OSError, UnicodeError, YAMLError, OmegaConfBaseException):
        return None
    return present_names(found) if isinstance(found, dict) else None


def save(config: Mapping[str, Any], path: Path) -> None:
    """Write a resolved configuration as YAML."""
    OmegaConf.save(_as_node(dict(config)), path, resolve=True)


def _as_node(config: dict[str, Any]) -> DictConfig:
    """Return resolved values as a node, in which none is resolved again."""
    node: DictConfig = OmegaConf.create(_escaped(config))
    return node


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return value.replace("${", r"\${") if isinstance(value, str) else value


def plain(node: DictConfig) -> dict[str, Any]:
    """Return a resolved node as dicts, lists, numbers and strings."""
    container = OmegaConf.to_container(node, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def group_files(group: str, trusted: Sequence[str] = ()) -> dict[str, Path]:
    """Return the configuration files of a group by name: ours, and those in the folder conf of packages that are trusted."""
    folders = [*(folder / "conf" for folder in plugin_folders(trusted)), FOLDER]
    return {file.stem: file for folder in folders for file in sorted((folder / group).glob("*.yaml"))}


def method_config(name: str, sample_rate: int, trusted: Sequence[str] = ()) -> dict[str, Any]:
    """Return the plain description of a method without training.

    Args:
        name: of a file in conf/model.
        sample_rate: the rate it is to work at, in Hz.
        trusted: as of `group_files`.

    Raises:
        ValueError: for an unknown name, listing the known ones, or a rate at which not every method works.
    """
    if not LOWEST_RATE_HZ <= sample_rate <= HIGHEST_RATE_HZ:
        raise ValueError(f"{name} works on audio from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz; this has {sample_rate} Hz")
    if name not in (known := _untrained(trusted)):
        raise ValueError(f"unknown method {name!r}; methods without training: {', '.join(known)}")
    model = OmegaConf.load(group_files("model", trusted)[name])
    return plain(OmegaConf.create({"data": {"sample_rate": sample_rate}, "model": model}).model)


def corruption_config(name: str, settings: Mapping[str, Any], sample_rate: int, trusted: Sequence[str] = ()) -> dict[str, Any]:
    """Return the plain description of a corruption.

    Args:
        name: of a file in conf/corruption.
        settings: other values of its keys.
        sample_rate: of what is to be damaged, in Hz.
        trusted: as of `group_files`.

    Raises:
        ValueError: for an unknown name or key, listing the known ones.
    """
    files = group_files("corruption", trusted)
    if name not in files:
        raise ValueError(f"unknown corruption {name!r}; known: {', '.join(sorted(files))}")
    node = OmegaConf.load(files[name])
    described = plain(OmegaConf.create({"data": {"sample_rate": sample_rate}, "corruption": node}).corruption)
    known = [key for key in described if not key.startswith("_")]
    if unknown := [key for key in settings if key not in known]:
        raise ValueError(f"unknown setting {unknown[0]} of the corruption {name}; known: {', '.join(known)}")
    return described | {key: str(value) if isinstance(value, Path) else value for key, value in settings.items()}


def methods_without_training(trusted: Sequence[str] = ()) -> list[str]:
    """Name the files of conf/model whose method restores as it is, without a checkpoint and without the clean signal.

    Args:
        trusted: as of `group_files`.
    """
    return [name for name, target in _untrained(trusted).items() if not declared(target, "is_oracle", trusted)]


def untrained_methods(trusted: Sequence[str] = ()) -> list[str]:
    """Name the files of conf/model whose method needs no training, oracles among them.

    Args:
        trusted: as of `group_files`.
    """
    return list(_untrained(trusted))


def _untrained(trusted: Sequence[str]) -> dict[str, str]:
    files = sorted(group_files("model", trusted).items())
    targets = {name: str(OmegaConf.select(OmegaConf.load(file), "_target_")) for name, file in files}
    return {name: target for name, target in targets.items() if declared(target, "needs_training", trusted) is False}


def baselines(names: Iterable[str], sample_rate: int, trusted: Sequence[str] = ()) -> dict[str, Any]:
    """Create methods without training by name, for data at `sample_rate` Hz.

    Args:
        names: of files in conf/model.
        sample_rate: in Hz.
        trusted: as of `group_files`.

    Raises:
        ValueError: for an unknown name.
    """
    from lightning_modules.runs.checkpoint import build_restorer

    return {name: build_restorer(method_config(name, sample_rate, trusted), trusted) for name in names}


def quiet_lightning() -> None:
    """Keep Lightning's hints that do not hold here off the screen; its warnings stay."""
    import pytorch_lightning  # noqa: F401  # sets its logger's level when it is first imported

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    hints = (
        r"The '.*' does not have many workers",
        r"`isinstance\(treespec, LeafSpec\)",
        r"Checkpoint directory .* exists",
        r"Be aware that when using `ckpt_path`, callbacks used to create",
        r"The number of training batches .* is smaller than the logging interval",
    )
    for hint in hints:
        warnings.filterwarnings("ignore", hint)


def exit_code_of(job: Callable[[], int]) -> int:
    """Run a script's work; what a user can mend is told in one sentence on stderr and becomes exit code 1, signal n 128 + n.

    That is what is wrong with a configuration or with files, and what the device cannot compute.
    """
    try:
        return job()
    except Interrupted as ended:
        print(f"{ended}; what is finished is kept", file=sys.stderr)
        return 128 + ended.number
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, OmegaConfBaseException) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except (RuntimeError, TypeError) as error:
        if (told := beyond_device(error)) is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return 1
