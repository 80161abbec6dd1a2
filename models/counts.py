"""Checking the counts that settings give: whole numbers from a lowest one on."""


def check_count(key: str, count: object, lowest: int = 1) -> None:
    """Refuse what is no whole number, or is below the lowest.

    Args:
        key: what the user sets, named in the error.
        count: its value.
        lowest: allowed.

    Raises:
        ValueError: naming the key.
    """
    if type(count) is not int or count < lowest:
        raise ValueError(f"{key}={count} must be a whole number, at least {lowest}")
