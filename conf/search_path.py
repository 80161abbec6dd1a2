"""Where configuration files are looked for: in conf/ and sweeps/ here, and in the folder conf of every plugin."""

from collections.abc import Sequence
from importlib.util import find_spec

from hydra.core.override_parser.overrides_parser import OverridesParser

from conf.schema.kinds import Place
from conf.schema.run import COMMON
from lightning_modules.runs.plugins import import_plugins

KEY = "hydra.searchpath"


def with_plugins(arguments: Sequence[str]) -> list[str]:
    """Return a command line that finds the configuration files of the plugins it lists; they are imported.

    Args:
        arguments: overrides and options, as the user gave them. Where they say `hydra.searchpath` themselves, that holds.

    Raises:
        ValueError: if a plugin cannot be used, or its folder conf is no package.
    """
    given = [argument for argument in arguments if argument.lstrip("+").startswith("plugins=")]
    if not given:
        return list(arguments)
    names = OverridesParser.create().parse_override(given[-1]).value()
    COMMON["plugins"].kind.check(names, Place("plugins"))
    plugins = import_plugins(names)
    if any(argument.lstrip("+").startswith(f"{KEY}=") for argument in arguments):
        return list(arguments)
    places = ["pkg://sweeps", *(f"pkg://{name}.conf" for name in plugins if _has_configurations(name))]
    return [*arguments, f"{KEY}=[{','.join(places)}]"]


def _has_configurations(plugin: str) -> bool:
    try:
        spec = find_spec(f"{plugin}.conf")
    except ModuleNotFoundError:  # a module without a folder
        return False
    if spec is not None and spec.origin is None:
        raise ValueError(f"plugins: the folder conf of {plugin} has no __init__.py, without which it is not found once installed")
    return spec is not None
