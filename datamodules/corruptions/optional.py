"""What only some corruptions can be asked, with an answer for those that cannot: a chain forwards these to its steps."""

from datamodules.corruptions import Corruption
from datamodules.splits import Split


def cutoff_hz(corruption: Corruption, sample_rate: int) -> float:
    """Ask a corruption for the frequency above which it removes everything.

    Args:
        corruption: Any corruption.
        sample_rate: Rate in Hz.

    Returns:
        The cutoff in Hz; half the sample rate for a corruption that does not limit the band.
    """
    ask = getattr(corruption, "cutoff_hz", None)
    return sample_rate / 2 if ask is None else min(ask(sample_rate), sample_rate / 2)


def for_split(corruption: Corruption, split: Split) -> Corruption:
    """Ask a corruption for what it is in one split: the recordings that it uses may be held out like the clean ones.

    Args:
        corruption: Any corruption.
        split: The split of the clean recordings that are to be corrupted.

    Returns:
        A corruption for this split; the same one where nothing depends on the split.

    Raises:
        ValueError: If nothing is left to use in this split.
    """
    ask = getattr(corruption, "for_split", None)
    return corruption if ask is None else ask(split)


def check(corruption: Corruption, sample_rate: int, channels: int, key: str = "corruption") -> None:
    """Ask a corruption whether it can work on audio of this kind, before any is read.

    What a corruption answers begins with the name of its setting, which the key of the corruption completes.

    Args:
        corruption: Any corruption.
        sample_rate: Rate in Hz.
        channels: Count.
        key: Of the corruption in the configuration of the one that asks, such as `steps.1`.

    Raises:
        ValueError: If it cannot; the message says what to change.
    """
    ask = getattr(corruption, "check", None)
    if ask is None:
        return
    try:
        ask(sample_rate, channels)
    except ValueError as error:
        raise ValueError(f"{key}.{error}") from error


def skipped(corruption: Corruption) -> list[str]:
    """Ask a corruption which of its own files it could not use.

    Args:
        corruption: Any corruption.

    Returns:
        One sentence per file; they may become more while damage is found.
    """
    return list(getattr(corruption, "skipped", []))
