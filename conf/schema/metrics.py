"""Names of metrics as keys give them; a plugin may have added its own since this was imported."""

from lightning_modules.metrics.registry import computed_in


def validated() -> list[str]:
    """Name what is computed in a validation."""
    return [f"val/{name}" for name in computed_in("validation")]


def probes() -> list[str]:
    """Name the probes of a method at the end of its test."""
    return list(computed_in("probe"))


def tested() -> list[str]:
    """Name what is computed in a test."""
    return [f"test/{name}" for name in computed_in("test")]
