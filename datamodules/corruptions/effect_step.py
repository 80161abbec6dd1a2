"""The step `effect` of a pipeline's text: a function of torchaudio and its arguments by name."""

from datamodules.corruptions.grammar import StepKind, finite
from datamodules.corruptions.torchaudio_effects import TorchaudioEffects


class EffectKind(StepKind):
    """Reads a name and arguments `ARGUMENT=VALUE` or `ARGUMENT=LOW..HIGH`, in any order."""

    def read(self, words: list[str]) -> list[float | str]:
        """Return the words.

        Raises:
            ValueError: if there is no function, or an argument has no name or is given twice.
        """
        if not words or not all("=" in argument for argument in words[1:]):
            raise ValueError("every argument has a name")
        names = [argument.partition("=")[0] for argument in words[1:]]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} is given {names.count(name)} times")
        return list(words)


def effect(function: str, *arguments: str) -> TorchaudioEffects:
    """Return the effect that a function's name and words `ARGUMENT=VALUE` ask for."""
    given = {name: _value(word) for name, _, word in (argument.partition("=") for argument in arguments)}
    return TorchaudioEffects([{function: given}])


def _value(word: str) -> float | bool | str | list[float]:
    """Read a number, two of them with two dots between them, true or false, or else text.

    >>> _value("5"), _value("5..30"), _value("true"), _value("TPDF")
    (5.0, [5.0, 30.0], True, 'TPDF')
    """
    if word in ("true", "false"):
        return word == "true"
    try:
        ends = [finite(end) for end in word.split("..")]
    except ValueError:
        return word
    return ends[0] if len(ends) == 1 else ends
