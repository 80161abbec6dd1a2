"""The values that the files of this project give to every key, found by composing them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf

from conf.compose import FOLDER

Found = Mapping[str, list[Any]]
RESULTS = "experiment"
"""The group whose files change keys of others."""


def found_values() -> Mapping[str, Found]:
    """Return the values of keys by the class that they belong to; those of scripts by the name of the script."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    with initialize_config_module("conf"):
        for script in ("train", "evaluate"):
            _keep(found[script], plain_of(compose(script)), "")
        for name in choices():
            for target, values in _described(_composed(name)):
                _keep(found[target], values, "")
    return found


def _composed(name: str) -> dict[str, Any]:
    """Return what a file says; one of the data, which may choose a corruption too, within the configuration of a script."""
    group, _, choice = name.partition("/")
    return plain_of(compose("train", overrides=[f"data={choice}"]).data if group == "data" else compose(name))


def choices() -> list[str]:
    """Return the names of the files of every group, as Hydra has them."""
    paths = [path.relative_to(FOLDER).with_suffix("") for path in sorted(FOLDER.glob("*/*.yaml"))]
    return [path.as_posix() for path in paths if path.parts[0] != RESULTS and path.name != "test"]


def plain_of(config: DictConfig) -> dict[str, Any]:
    """Return a configuration as it is written, with its references."""
    container = OmegaConf.to_container(config, resolve=False)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def _described(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every description of an object, with its class; the keys of a source stand beside it."""
    if isinstance(node, list):
        for entry in node:
            yield from _described(entry)
    elif isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"], node
        if isinstance(node.get("source"), dict):
            yield node["source"]["_target_"], node
        for inner in node.values():
            yield from _described(inner)


def _keep(found: dict[str, list[Any]], values: Mapping[str, Any], place: str) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            if "_target_" not in value:
                _keep(found, value, f"{place}{name}.")
        elif not any(type(other) is type(value) and other == value for other in found[f"{place}{name}"]):
            found[f"{place}{name}"].append(value)
