"""The keys of a class that is not declared: what its constructor's annotations allow."""

import inspect
import sys
import types
import typing
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import PurePath
from typing import Any, Literal, Union

from conf.schema.declaration import HYDRA_KEYS, Key, Keys, check_keys
from conf.schema.kinds import LARGEST, Either, Flag, Kind, ListOf, Nothing, Number, OneOf, Place, Whole
from conf.schema.sentences import SchemaError

OWN = ("models", "lightning_modules", "datamodules", "torch", "pytorch_lightning")
"""Packages whose classes a configuration names."""


class AnyText(Kind):
    """Text, be it empty."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, str)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "text"


class AnyTable(Kind):
    """A group of keys that nothing is known of."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, dict)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "a group of keys"


class Anything(Kind):
    """Whatever the constructor takes; what describes an object is checked as such."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return True

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "what the constructor takes"

    def explains(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, dict) and "_target_" in value

    def check(self, value: Any, place: Place) -> None:
        """Refuse the description of an object with keys that its class does not take."""
        if self.explains(value):
            arguments = {name: inner for name, inner in value.items() if name not in HYDRA_KEYS}
            target = str(value["_target_"])
            check_keys(
                arguments, keys_named(target, value.get("_partial_") is True, place), place, {}, f"{place.name} ({target})"
            )


SIMPLE: dict[Any, Kind] = {
    bool: Flag(),
    int: Whole(-LARGEST, LARGEST),
    float: Number(-sys.float_info.max, sys.float_info.max),
    str: AnyText(),
    PurePath: AnyText(),
    type(None): Nothing(),
    None: Nothing(),
}


class AnyKeys(dict[str, Key]):
    """Keys of a constructor that takes others too."""

    def __contains__(self, name: object) -> bool:
        return True


def keys_named(target: str, partial: bool, place: Place) -> Keys:
    """Return the keys of a class: as declared, or as its constructor has them.

    Raises:
        SchemaError: if it may not be used, or there is none.
    """
    if target in place.classes:
        declared: Keys = place.classes[target]
        return declared
    root = target.split(".")[0]
    if root not in (*OWN, *place.plugins):
        raise SchemaError(
            f"{place.name}._target_={target} must be a class of this project, or of a package that plugins names: "
            f"plugins=[{root}]"
        )
    return constructor_keys(target_named(target, place), partial)


def target_named(target: str, place: Place) -> Callable[..., Any]:
    """Import what a `_target_` names.

    Raises:
        SchemaError: if there is no such thing.
    """
    module, _, name = target.rpartition(".")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SchemaError(f"{place.name}._target_={target} cannot be imported: {error}") from error
    return found


def constructor_keys(target: Callable[..., Any], partial: bool) -> Keys:
    """Return the keys of a class, or a function, as its annotations give them; any, of what is written in C and has none.

    Args:
        target: to be called.
        partial: whether arguments without a default may come later.
    """
    try:
        parameters = inspect.signature(target).parameters.values()
    except ValueError:
        return AnyKeys()
    hints = _hints(target)
    keys: dict[str, Key] = {}
    is_open = False
    for parameter in parameters:
        hint = hints.get(parameter.name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            named = _unpacked(hint)
            is_open = is_open or named is None
            keys |= named or {}
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            keys[parameter.name] = Key(kind_of(hint), "", required=parameter.default is parameter.empty and not partial)
    return AnyKeys(keys) if is_open else keys


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    function = target.__init__ if inspect.isclass(target) else target
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # names known to a type checker only
        return {}


def _unpacked(hint: Any) -> dict[str, Key] | None:
    """Return the keys that `**name: Unpack[...]` stands for; None if it takes any."""
    if typing.get_origin(hint) is not typing.Unpack:
        return None
    (named,) = typing.get_args(hint)
    return {
        name: Key(kind_of(inner), "", required=name in named.__required_keys__)
        for name, inner in typing.get_type_hints(named).items()
    }


def kind_of(annotation: Any) -> Kind:
    """Return what values an annotation allows in a configuration; anything where that cannot be told.

    >>> kind_of(int | None).fits(None), kind_of(tuple[float, float]).fits([1, 2]), kind_of(bool).fits(1)
    (True, True, False)
    """
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return Either(tuple(map(kind_of, arguments)))
    if origin is Literal and all(isinstance(option, str) for option in arguments):
        return OneOf(arguments)
    if origin in (typing.Required, typing.NotRequired, typing.Annotated):
        return kind_of(arguments[0])
    return _collection(origin or annotation, arguments)


def _collection(origin: Any, arguments: tuple[Any, ...]) -> Kind:
    if not isinstance(origin, type):
        return Anything()
    if issubclass(origin, PurePath):
        return AnyText()
    if issubclass(origin, Mapping):
        return AnyTable()
    if not issubclass(origin, Collection) or origin is Collection:
        return Anything()
    if issubclass(origin, tuple) and arguments and arguments[-1] is not Ellipsis:
        same = len(set(arguments)) == 1
        return ListOf(kind_of(arguments[0]) if same else Anything(), len(arguments), len(arguments))
    return ListOf(kind_of(arguments[0]) if arguments else Anything(), 0)


def constructor_defaults(target: str) -> dict[str, Any]:
    """Return what a constructor takes where an argument is left out, those of `**name: Unpack[...]` aside."""
    parameters = inspect.signature(target_named(target, Place(target))).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty}
