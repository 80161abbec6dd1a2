"""Checking the counts that settings give: whole numbers from a lowest one on."""

from collections.abc import Sequence

from models.layers.setting_error import SettingError


def check_count(key: str, count: object, lowest: int = 1) -> None:
    """Refuse what is no whole number, or is below the lowest.

    Args:
        key: names the setting in the error; with a mark (`SettingError`) where more is to go before it.
        count: its value.
        lowest: allowed.

    Raises:
        SettingError: naming the key.
    """
    if type(count) is not int or count < lowest:
        raise SettingError(f"{key}={count} must be a whole number, at least {lowest}")


def check_odd(key: str, count: object, lowest: int = 1) -> None:
    """Refuse what is no odd whole number, and so has no middle, or is below the lowest; arguments and error of `check_count`."""
    check_count(key, count, lowest)
    if isinstance(count, int) and count % 2 == 0:
        raise SettingError(f"{key}={count} must be odd, so that it has a middle")


def check_positive(counts: Sequence[int], key: str) -> None:
    """Refuse a plan with a layer that has no channels.

    Args:
        counts: channels of each layer.
        key: as of `check_count`.

    Raises:
        SettingError: if a count is below 1, or there is none.
    """
    if min(counts, default=0) < 1:
        raise SettingError(f"{key} must be one or more numbers of at least 1; got {list(counts)}")
