"""What is said before a page is served, and what its answers carry; all of it without Gradio."""

import asyncio
import re
import shlex
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import demo
from lightning_modules.commands.demo import OwnOrigin, Shares, free_port, shown, wait_for_signal
from lightning_modules.commands.trying import INPUT, RESTORED, Tried

PAGE = (Path(__file__).parents[2] / "docs" / "restoring.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line)[2:] for line in re.findall(r"^    (python demo\.py.*)$", PAGE, flags=re.MULTILINE)]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_commands_of_the_page_are_understood(arguments: list[str]) -> None:
    assert demo.parse(arguments).host == "127.0.0.1"


def test_bounds_stand_in_the_documentation() -> None:
    options = demo.parse([])
    assert f"{options.max_megabytes:g} MB and {options.max_seconds:g} seconds" in PAGE


@pytest.mark.parametrize(
    "arguments", [["--port", "65536"], ["--max-seconds", "0"], ["--max-megabytes", "a lot"], ["--method", " "], ["--host", ""]]
)
def test_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        demo.parse(arguments)
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


def without_gradio(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    monkeypatch.setattr("lightning_modules.commands.demo.find_spec", lambda name: object() if is_there else None)


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without_gradio(monkeypatch, is_there=False)
    assert demo.main([]) == 1
    assert capsys.readouterr().err == "error: clarion-demo needs the package gradio: pip install '.[demo]'\n"


def test_method_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without_gradio(monkeypatch, is_there=True)
    assert demo.main(["--method", "runs/none"]) == 1
    assert capsys.readouterr().err.startswith("error: runs/none: no such checkpoint, run folder, ")


def test_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without_gradio(monkeypatch, is_there=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert demo.main(["--port", str(port)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: --host 127.0.0.1 --port {port}: ")
    assert told.endswith("; --port 0 takes a free one\n")


def test_free_port_can_be_listened_at() -> None:
    port = free_port("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", port)) as listening:
        assert listening.getsockname()[1] == port


def test_every_wait_for_a_signal_has_a_limit() -> None:
    """On Windows Ctrl+C is seen between waits alone."""
    limits: list[float | None] = []

    class Waited(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            limits.append(timeout)
            if len(limits) == 3:
                raise KeyboardInterrupt
            return False

    with pytest.raises(KeyboardInterrupt):
        wait_for_signal(Waited())
    assert all(limit is not None and 0 < limit <= 1 for limit in limits)


async def answered(kind: str) -> list[dict[str, Any]]:
    """Return what a server of one answer sends through the policy."""
    sent: list[dict[str, Any]] = []

    async def app(scope: object, receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        await send({"type": kind, "headers": [(b"a", b"b")]})

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)

    async def nothing() -> dict[str, Any]:
        return {}

    await OwnOrigin(app)({"type": "http"}, nothing, keep)
    return sent


def test_answers_allow_nothing_from_elsewhere() -> None:
    (start,) = asyncio.run(answered("http.response.start"))
    assert start["headers"][0] == (b"a", b"b")
    name, policy = start["headers"][1]
    assert name == b"content-security-policy"
    assert not re.search(rb"https?:|\*", policy) and policy.startswith(b"default-src 'self' ")
    assert asyncio.run(answered("http.response.body")) == [{"type": "http.response.body", "headers": [(b"a", b"b")]}]


def test_page_shows_a_trial_or_the_sentence_alone() -> None:
    tried = Tried(Path("r.wav"), {INPUT: Path("i"), RESTORED: Path("o")}, Path("p.png"), ["one", "two"])
    assert shown(lambda: tried) == ("one\ntwo", "i", "o", "p.png", "r.wav")

    def fails() -> Tried:
        raise ValueError("a.wav: is an empty file")

    assert shown(fails) == ("error: a.wav: is an empty file", None, None, None, None)


def test_progress_never_passes_what_restoring_takes() -> None:
    told: list[tuple[float, str]] = []
    shares = Shares(lambda share, desc: told.append((share, desc)))
    for _ in range(3):
        shares.advance(0.4)
    assert told == [(0.9 * 0.4, "restoring"), (0.9 * 0.8, "restoring"), (0.9, "drawing")]
