"""No request makes the server fetch an address: not as a file in a body, however it is written, nor in a path."""

import asyncio
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lightning_modules.commands.own_files import REFUSED, OwnFiles

PUBLIC = "https://example.org/song.wav"
JSON = (b"content-type", b"application/json")
ROOT = Path(__file__).parents[2]
SERVED = """
import json, sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import safehttpx

from datamodules.audio.bounds import Bounds
from lightning_modules.commands.demo import Showing, build_page, free_port, launch
from lightning_modules.commands.opening import open_method

async def fetch(url, **_):
    print("fetched", url)
    raise OSError(url)

safehttpx.get = safehttpx.async_validate_url = fetch  # by which Gradio fetches
bounds, port = Bounds(1.0, 2.0), free_port("127.0.0.1", 0)
page = build_page({"wiener": open_method("wiener", "cpu", [])}, bounds, Path(sys.argv[1]))
launch(page, Showing([], "cpu", [], bounds, "127.0.0.1", port), port)
for path, body in json.loads(sys.argv[2]):
    content = None if body is None else json.dumps(body).encode()
    request = Request(f"http://127.0.0.1:{port}/gradio_api/{path}", content, {"Content-Type": "application/json"})
    try:
        print(path, urlopen(request).status)
    except HTTPError as error:
        print(path, error.code)
page.close(verbose=False)
"""


def file(path: str) -> dict[str, Any]:
    return {"path": path, "url": "http://127.0.0.1:7860/gradio_api/file=a.wav", "meta": {"_type": "gradio.FileData"}}


def sent_to(path: str, *parts: bytes, method: str = "POST", header: tuple[bytes, bytes] = JSON) -> tuple[int, bytes]:
    """Return the status and the body of the answer of a server that sends back what it gets."""
    answers: list[dict[str, Any]] = []
    messages = iter([{"type": "http.request", "body": part, "more_body": True} for part in parts] + [{"type": "http.request"}])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got = b""
        while (message := await receive()).get("more_body"):
            got += message["body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": got})

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(OwnFiles(app)({"type": "http", "path": path, "method": method, "headers": [header]}, receive, send))
    return answers[0]["status"], answers[1]["body"]


@pytest.mark.parametrize("path", [PUBLIC, "http://example.org/a.wav", "HTTPS://example.org/a.wav"])
@pytest.mark.parametrize("place", [lambda one: [one, "wiener", 1], lambda one: ["a", one, 1], lambda one: [[{"x": one}]]])
def test_file_to_fetch_is_refused_wherever_it_is(path: str, place: Any) -> None:
    body = json.dumps({"data": place(file(path))}).encode()
    assert sent_to("/gradio_api/queue/join", body[:20], body[20:]) == (400, json.dumps({"detail": REFUSED}).encode())


def test_file_to_fetch_is_refused_in_any_spelling_of_json() -> None:
    escaped = json.dumps({"data": [file(PUBLIC)]}).replace("https", "\\u0068ttps").replace('"path"', '"p\\u0061th"').encode()
    twice = b'{"path": "a.wav", "path": "https://example.org/a.wav"}'
    wide = json.dumps({"data": [file(PUBLIC)]}).encode("utf-16")
    assert [sent_to("/call/restore", body)[0] for body in (escaped, twice, wide)] == [400, 400, 400]


@pytest.mark.parametrize("path", [f"/gradio_api/file={PUBLIC}", f"/gradio_api/file/{PUBLIC}", f"/gradio_api/proxy={PUBLIC}"])
def test_path_with_an_address_is_refused(path: str) -> None:
    assert sent_to(path, method="GET")[0] == 400


@pytest.mark.parametrize("body", [json.dumps({"data": [file("/tmp/a.wav"), "https://a", 1]}).encode(), b"", b"no JSON"])
def test_other_requests_go_on_whole(body: bytes) -> None:
    assert sent_to("/gradio_api/queue/join", body[:9], body[9:]) == (200, body)


def test_forms_are_not_read_ahead() -> None:
    assert sent_to("/upload", b'{"path": "https://a"}', header=(b"Content-Type", b"multipart/form-data; boundary=a"))[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gradio") is None, reason="needs the demo extra")
def test_served_page_fetches_nothing_and_takes_other_requests(tmp_path: Path) -> None:
    asked = {"data": [file(PUBLIC), "wiener", 1], "session_hash": "a", "fn_index": 0}
    refused: list[tuple[str, Any]] = [(path, asked) for path in ("queue/join", "run/restore", "call/restore", "call/v2/restore")]
    requests = [*refused, (f"file={PUBLIC}", None), ("queue/join", {**asked, "data": [None, "wiener", 1]}), ("info", None)]
    command = [sys.executable, "-c", SERVED, str(tmp_path), json.dumps(requests)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    statuses = [f"{path} {400 if PUBLIC in json.dumps([path, body]) else 200}" for path, body in requests]
    assert ended.stdout.splitlines() == statuses
