"""A corruption that is chosen beside an experiment has the values of its own file, and none that the experiment gives to another.

Hydra merges an experiment's keys into whatever corruption there is. What they would change of another one is taken back here.
"""

from collections.abc import Sequence

from conf.chosen_files import given_keys, last_choice, overridden_in, said_by
from conf.spelling import spelled


def with_own_corruption(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which no key of an experiment's corruption reaches another that is chosen.

    Args:
        arguments: overrides and options, as the user gave them. What they say of the corruption's keys holds.

    >>> with_own_corruption(["experiment=denoise_music_16khz", "corruption=amplifier"])
    ['corruption.snr_db=[0, 20]', '~corruption.colors', 'experiment=denoise_music_16khz', 'corruption=amplifier']
    >>> with_own_corruption(["experiment=denoise_music_16khz", "corruption=noise"])
    ['experiment=denoise_music_16khz', 'corruption=noise']
    """
    name = last_choice("corruption", arguments)
    experiment, chosen = said_by("experiment", last_choice("experiment", arguments)), said_by("corruption", name)
    if not experiment or not chosen or name == overridden_in(experiment, "corruption"):
        return list(arguments)
    given = given_keys(arguments)
    keys = [key for key in experiment.get("corruption") or {} if f"corruption.{key}" not in given]
    own = [f"corruption.{key}={spelled(chosen[key])}" for key in keys if key in chosen]
    return [*own, *(f"~corruption.{key}" for key in keys if key not in chosen), *arguments]
