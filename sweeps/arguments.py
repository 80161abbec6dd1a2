"""A command line as Hydra takes it: choices, keys and plugins that it does not know itself are spelled out."""

from collections.abc import Sequence

from conf.given_choices import check_choices
from conf.left_out_keys import with_left_out_keys
from conf.null_choices import with_null_choices
from conf.old_keys import with_present_keys
from conf.own_corruption import with_own_corruption
from conf.own_optimizer import with_own_optimizer
from conf.search_path import with_plugins


def as_hydra_takes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the command line and a sentence for each key that has another name now.

    Args:
        arguments: overrides and options, as the user gave them.

    Raises:
        ValueError: for a choice or a plugin that there cannot be.
    """
    check_choices(arguments)
    present, told = with_present_keys(with_null_choices(arguments))
    return with_own_optimizer(with_own_corruption(with_left_out_keys(with_plugins(present)))), told
