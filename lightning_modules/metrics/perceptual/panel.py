"""What is asked of models of hearing: here without them, for those who read configurations."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["music", "speech"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Panel:
    """Who is asked.

    Attributes:
        kind: what the recordings are.
        most_pairs: how many pairs are scored at most, evenly spread; 0 asks nobody.
    """

    kind: Kind
    most_pairs: int
