"""Kinds of text that a key may hold."""

from dataclasses import dataclass
from typing import Any

from conf.schema.kinds import Kind
from lightning_modules.training.durations import seconds_of
from machine.names import unstorable


@dataclass(frozen=True)
class Text(Kind):
    """Text that is not blank, on one line."""

    what: str = "text"

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, str) and bool(value.strip()) and value.isprintable()

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"{self.what}, and not empty"

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        if isinstance(value, str):
            return "" if value.strip() else " (an unset variable of the shell gives nothing)"
        is_number = type(value) in (int, float)
        return f"; a number is text in quotes: \"'{value}'\"" if is_number else ""


@dataclass(frozen=True)
class Identifier(Kind):
    """The name of a Python package."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, str) and value.isidentifier()

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "the name of an installed package, without dots"


@dataclass(frozen=True)
class Duration(Kind):
    """A time as Lightning's trainer reads it, above zero."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return seconds_of(value) > 0

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "a time above zero as DD:HH:MM:SS, such as 00:01:30:00 for an hour and a half"


@dataclass(frozen=True)
class FolderName(Kind):
    """A name for a folder below another one, or a path of several, that every system can store."""

    longest_bytes = 200

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        if not Text().fits(value) or len(value.encode(errors="replace")) > self.longest_bytes:
            return False
        return all(part.strip() and not unstorable(part) for part in value.split("/"))

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"a name for a folder of its own: not empty, without .. and at most {self.longest_bytes} bytes long"

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        parts = value.split("/") if Text().fits(value) else []
        found = next((f"{part} {flaw}" for part in parts if part.strip(". ") and (flaw := unstorable(part))), "")
        return f"; {found}, which Windows cannot store" if found else ""
