"""Ways to damage a file or what stands in its place, each drawn from a generator; `FORMS` has them by name."""

import json
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

HUGE_BYTES = 1 << 33
Form = Callable[[Path, random.Random], None]
"""Damages what is at a path."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**400, -(10**30), 1 << 63, 1e308, -1e308, float("nan"), float("inf"), -float("inf")),
    *("", "x", "1e999", "=cmd|' /C calc'!A0", "](http://x) `|` <img src=x>\n# x", "\x1b[31m\r\n\u202e", "\ud800", "a" * 100_000),
    *([], {}, [[]], [None] * 1000, {"a": {"b": None}}, {"1": 1}),
)
"""What may stand in place of a value."""


def nested(opening: str, closing: str = "", depth: int = 50_000) -> bytes:
    return (opening * depth + closing * depth).encode()


ALIASES = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)
)
CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\n\t\n",
    "zeros": bytes(4096),
    "every byte": bytes(range(256)) * 40,
    "text": b"half a sen",
    "list": b"[]\n",
    "null": b"null\n",
    "number": b"1e400\n",
    "open lists": nested("["),
    "open mappings": nested('{"a":'),
    "closed lists": nested("[", "]"),
    "flow": nested("- "),
    "aliases": ALIASES,
    "merge keys": b"a: &a {x: 1}\n" + b"".join(b"b%d: {<<: [%s]}\n" % (n, b", ".join([b"*a"] * 500)) for n in range(40)),
    "circle": b"a: &a [*a]\n",
    "python object": b"!!python/object/apply:os.system [exit]\n",
    "many keys": b"{" + b",".join(b'"k%d": %d' % (n, n) for n in range(100_000)) + b"}",
    "unclosed cell": b'a,"b\n',
    "long cell": b"index,lsd\n0," + b"1" * 200_000 + b"\n",
    "zip": b"PK\x05\x06" + bytes(18),
}


def truncated(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(max(1, len(content)))])


def flipped(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for position in rng.sample(range(len(content)), max(1, len(content) // 100)):
        content[position] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def one_bit(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def half_written_line(path: Path, rng: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[-1][: rng.randrange(1, len(lines[-1]))]]))


def line_twice(path: Path, rng: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, rng.choice(lines)]))


def other_encoding(path: Path, rng: random.Random) -> None:
    text = path.read_bytes().decode("latin-1")
    path.write_bytes(text.encode(rng.choice(["utf-16", "utf-32", "cp037", "utf-8-sig"])))


def other_cell(path: Path, rng: random.Random) -> None:
    """Put another value in place of a word of a line, as a table or any other text has them."""
    lines = path.read_bytes().decode("latin-1").splitlines()
    number = rng.randrange(len(lines))
    cells = lines[number].split(",")
    cells[rng.randrange(len(cells))] = str(rng.choice(VALUES))[:1000]
    lines[number] = ",".join(cells)
    path.write_bytes("\n".join(lines).encode("utf-8", "replace"))


def other_value(path: Path, rng: random.Random) -> None:
    """Put another value in place of any of a mapping's, at any depth; `other_cell` where the file holds none."""
    is_json = path.suffix == ".json"
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if is_json else yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        return other_cell(path, rng)
    node = content
    while True:
        key = rng.choice(list(node))
        if not (isinstance(node[key], dict) and node[key]) or rng.random() < 0.3:
            break
        node = node[key]
    if rng.random() < 0.2:
        del node[key]
    else:
        node[key] = rng.choice(VALUES)
    path.write_text(json.dumps(content) if is_json else yaml.safe_dump(content), encoding="utf-8")
    return None


def in_place(make: Callable[[Path], object]) -> Form:
    """Put something that is no file in place of one."""

    def damage(path: Path, rng: random.Random) -> None:
        path.unlink()
        make(path)

    return damage


def _socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
    os.fchdir(here)
    os.close(here)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE_BYTES)


def missing(path: Path, rng: random.Random) -> None:
    path.unlink()


def unreadable(path: Path, rng: random.Random) -> None:
    path.chmod(0)


def content_of(name: str) -> Form:
    def damage(path: Path, rng: random.Random) -> None:
        path.write_bytes(CONTENTS[name])

    return damage


FORMS: dict[str, Form] = {
    **{name: content_of(name) for name in CONTENTS},
    "truncated": truncated,
    "flipped": flipped,
    "one bit": one_bit,
    "half-written line": half_written_line,
    "line twice": line_twice,
    "other encoding": other_encoding,
    "other value": other_value,
    "another value": other_value,
    "yet another value": other_value,
    "other cell": other_cell,
    "missing": missing,
    "unreadable": unreadable,
    "folder": in_place(lambda path: path.mkdir()),
    "pipe": in_place(lambda path: os.mkfifo(path)),
    "socket": in_place(_socket),
    "device": in_place(lambda path: path.symlink_to("/dev/zero")),
    "circle of links": in_place(lambda path: path.symlink_to(path.name)),
    "dangling link": in_place(lambda path: path.symlink_to("nowhere")),
    "huge": in_place(_huge),
}
"""Each damages the file at a path."""
REPLACING = [FORMS[name] for name in (*CONTENTS, *list(FORMS)[list(FORMS).index("missing") :]) if name != "unreadable"]
"""Those that leave nothing of the file; the superuser reads what is unreadable."""
