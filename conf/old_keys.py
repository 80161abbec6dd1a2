"""Keys of the configuration that have another name now: the old ones still work, and a line tells the new one."""

OLD_KEYS = {"model.shaping.least_gain": "model.shaping.min_delta"}


def with_present_keys(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return a command line with the keys that there are now, and a sentence for each that was changed.

    Args:
        arguments: overrides and options, as the user gave them.

    >>> with_present_keys(["seed=1", "+model.shaping.least_gain=0.1"])
    (['seed=1', '+model.shaping.min_delta=0.1'], ['model.shaping.least_gain is now model.shaping.min_delta'])
    """
    changed, told = [], []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        name = key.lstrip("+~")
        if name in OLD_KEYS:
            told.append(f"{name} is now {OLD_KEYS[name]}")
            key = key.replace(name, OLD_KEYS[name])
        changed.append(f"{key}{equals}{value}")
    return changed, told
