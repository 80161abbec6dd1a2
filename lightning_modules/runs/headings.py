"""Headings of narrow columns: names break where their words end, as a terminal would break them anywhere."""

import re
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text


@dataclass(frozen=True)
class Heading:
    """A name that breaks behind underscores and spaces; within a word only where this alone is too long for its column."""

    name: str

    def __str__(self) -> str:
        return self.name

    def lines(self, width: int) -> list[str]:
        """Return the name in lines of at most `width` characters, but for words that are longer.

        Example:
            >>> Heading("overdrive_inverse_oracle").lines(13), Heading("unet").lines(13)
            (['overdrive_', 'inverse_', 'oracle'], ['unet'])
        """
        lines = [""]
        for word in self._words:
            if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
                lines.append("")
            lines[-1] += word
        return lines

    @property
    def _words(self) -> list[str]:
        return re.findall(r"[^_ ]+[_ ]*|[_ ]+", self.name)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(map(str.rstrip, self.lines(options.max_width))))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(max(len(word.rstrip()) for word in self._words), len(self.name))
