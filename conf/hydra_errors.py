"""Hydra's errors about a command line, told in a sentence."""

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import MissingConfigException, OverrideParseException

from conf.schema.names import known_keys
from conf.schema.sentences import listed, nearest, shown


def as_sentence(error: BaseException, choices: Sequence[str]) -> str:
    """Return what an error says, in a sentence where it is one of Hydra's about a command line.

    Args:
        error: that Hydra raised.
        choices: the groups of which the configuration takes a file; see `conf.given_choices.choices_of`.
    """
    if isinstance(error, OverrideParseException):
        return unparsed(error.override)
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        names = [option for option in error.options if not option.startswith("_") and option != "shared"]
        return f"{group}={name} must be {listed(names, 'or')}{nearest(name, names)}"
    unknown = re.search(r"Could not (override|append to|delete|find) '([^']+)'", str(error))
    if unknown and ("No match in the defaults list" in str(error) or "Did you mean to override" in str(error)):
        return _no_choice(unknown[2], str(error), choices)
    if unknown:
        return _no_key(unknown[2])
    of_another_form = re.fullmatch(r"Error merging override (?:\+\+)?([^=]+)=(.*)", str(error), re.DOTALL)
    return _no_form(*of_another_form.groups()) if of_another_form else str(error)


def unparsed(override: str) -> str:
    """Say how to quote a value that Hydra's grammar does not take.

    >>> print(unparsed("data.root=a=b"))
    data.root=a=b is not understood; put the value into quotes, and the whole into others of the shell: 'data.root="a=b"'
    """
    key, equals, value = override.partition("=")
    if not equals or not re.fullmatch(r"[~+]*[\w./@${}:-]+", key):
        return f"{override} is not understood; give KEY=VALUE"
    quoted = QuotedString(value.strip("\"'"), Quote.double).with_quotes()
    shell = shlex.quote(f"{key}={quoted}")
    return f"{override} is not understood; put the value into quotes, and the whole into others of the shell: {shell}"


def _no_choice(key: str, text: str, choices: Sequence[str]) -> str:
    """Say that the place of a group is not there, with what was given, which Hydra repeats in its advice."""
    given = re.search(r"To append to your default list use \+(.+)", text)
    there = re.search(r"Did you mean to override (?:one of )?(.+?)\?", text)
    allowed = there[1] if there else listed(choices)
    return f"{given[1] if given else '~' + key} must not be given: {key} is no choice of this configuration; there is {allowed}"


def _no_key(key: str) -> str:
    """Say that a key is not there."""
    parent, names = key.rpartition(".")[0], known_keys()
    if key in names:
        return f"{key} is set in no file that is chosen; +{key}=VALUE adds it"
    beside = [name for name in names if name.rpartition(".")[0] == parent]
    deeper = [name for name in names if name.startswith(f"{parent}.") and name.rpartition(".")[2] == key.rpartition(".")[2]]
    meant = nearest(key, beside) or nearest(key, names if not beside else [])
    meant = f"; did you mean {listed(deeper, 'or')}?" if parent and deeper else meant
    return f"{key} is no key of this configuration{meant or '; docs/configuration.md lists all'}"


def _no_form(key: str, value: str) -> str:
    """Say of which form a value must be, where Hydra finds a list in place of a group of keys, or the other way round."""
    inner = [name.rpartition(".")[2] for name in known_keys() if name.rpartition(".")[0] == key]
    group = f"a group of the keys {listed(inner)}" if inner else "a group of keys, such as {name: value}"
    return f"{key}={shown(value)} must be {group if value.startswith('[') else 'a list, such as [a,b]'}"
