"""What is asked of models of hearing: here without them, for those who read configurations."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["music", "speech"]
KINDS: tuple[Kind, ...] = get_args(Kind)
AUTO: Literal["auto"] = "auto"
"""What the data say that they are."""
CHOICES = (AUTO, *KINDS)


@dataclass(frozen=True)
class Panel:
    """Who is asked.

    Attributes:
        kind: what the recordings are, or `AUTO`.
        most_pairs: how many pairs are scored at most, evenly spread; 0 asks nobody.
    """

    kind: Kind | Literal["auto"]
    most_pairs: int

    def kind_of(self, of_data: Kind) -> Kind:
        """Return what the recordings are, given what the data say."""
        return of_data if self.kind == AUTO else self.kind
