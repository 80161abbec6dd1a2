"""What is wrong with a network's settings, told by whoever built it under the names that the user knows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

MARK = re.compile(r"(?<![^\s^])@")
"""At the beginning of a word or an exponent; within a value that is quoted it is none."""


class SettingError(ValueError):
    """A setting is wrong. A network knows its settings by their own names only, and marks them: `@depth`.

    Args:
        text: the sentence, with a mark before the name of every setting.
    """

    def __init__(self, text: str) -> None:
        super().__init__(MARK.sub("", text))
        self.text = text

    def under(self, key: str) -> str:
        """Return the sentence with the settings' full names.

        Args:
            key: that the network stands under, such as model.net.

        >>> SettingError("@depth=0 must be at least 1").under("model.net")
        'model.net.depth=0 must be at least 1'
        """
        return MARK.sub(f"{key}.", self.text)


@contextmanager
def settings_under(key: str) -> Iterator[None]:
    """Tell what is wrong with the settings of a network that is built within under their full names.

    Args:
        key: that the network stands under, such as model.net.

    Raises:
        ValueError: in place of a `SettingError`.
    """
    try:
        yield
    except SettingError as error:
        raise ValueError(error.under(key)) from error
