"""The page as it is served: to a program, and to a browser that sees nothing from elsewhere. Needs the extra `demo`.

    python -m pytest -q tests/demo

The browser is Chromium with its driver, run by selenium; without them its test is left out.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import soundfile

import restore
from tests.conftest import tone
from tests.demo.test_command_line import COMMANDS

ROOT = Path(__file__).parents[2]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
RESTORE_SECONDS = 120
pytestmark = [
    pytest.mark.slow,
    pytest.mark.posix,
    pytest.mark.skipif(find_spec("gradio") is None, reason="needs the demo extra"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the client and of selenium
]


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[str]:
    """Serve the page with its temporary files in a folder, and see that a signal ends it and leaves none."""
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "demo.py", "--device", "cpu", *arguments, "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            line = process.stdout.readline()
            assert line.endswith(" (Ctrl+C ends it)\n"), process.stderr.read()
            yield line.split()[0]
        finally:
            process.send_signal(signal.SIGTERM)
            told = process.communicate(timeout=RESTORE_SECONDS)[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert told.endswith("interrupted by SIGTERM; the page is closed\n")
    assert list(folder.glob("clarion-demo-*")) == []


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "song.flac"
    soundfile.write(path, tone(0, 1.5, 16000), 16000)
    return path


@pytest.fixture(scope="module")
def restored(song: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("restored")
    assert restore.main(["wiener", str(song), "-o", str(folder), "--strength", "0.5", "--device", "cpu"]) == 0
    return (folder / "song.flac").read_bytes()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page that takes little."""
    bounds = ["--max-megabytes", "0.2", "--max-seconds", "2"]
    with served(tmp_path_factory.mktemp("temporary"), "--method", "sinc", *bounds) as url:
        yield url


@pytest.fixture
def ask(page: str, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that restores a file through the page's interface."""
    from gradio_client import Client, handle_file

    client = Client(page, verbose=False, download_files=str(tmp_path / "answers"))
    return lambda path, method="wiener", strength=0.5: client.predict(handle_file(path), method, strength, api_name="/restore")


def test_program_gets_the_file_that_restore_writes(ask: Callable[..., Any], song: Path, restored: bytes) -> None:
    told, *heard, picture, result = ask(str(song))
    assert told.startswith("played at one loudness: input ")
    assert Path(result).read_bytes() == restored
    assert [soundfile.info(path).samplerate for path in heard] == [48000, 48000]
    assert Path(picture).suffix in (".png", ".webp")


def test_file_beyond_the_bounds_is_a_sentence(ask: Callable[..., Any], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long song.flac", tone(0, 3.0, 16000), 16000)
    told, *others = ask(str(tmp_path / "long song.flac"))
    assert told == "error: long song.flac: lasts 3.0 s; at most 2 s are taken here"
    assert others == [None, None, None, None]


def test_method_that_is_not_offered_is_refused(ask: Callable[..., Any], song: Path) -> None:
    with pytest.raises(Exception, match="not in the list of choices"):
        ask(str(song), "runs/other")


def test_file_that_is_too_large_is_not_taken(page: str) -> None:
    head = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=mark"}
    request = Request(f"{page}/gradio_api/upload", head + bytes(300_000) + b"\r\n--mark--\r\n", headers)
    with pytest.raises(HTTPError, match="413"):
        urlopen(request)


@pytest.fixture
def browser() -> Iterator[Any]:
    """Start Chromium without a window."""
    if not (CHROMIUM and DRIVER and find_spec("selenium")):
        pytest.skip("needs chromium, chromedriver and selenium")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1240,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def when(condition: Callable[[], Any]) -> Any:
    """Wait until something is there, and return it."""
    deadline = time.monotonic() + RESTORE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_browser_sees_controls_restores_and_fetches_nothing_from_elsewhere(
    page: str, browser: Any, song: Path, restored: bytes
) -> None:
    from selenium.webdriver.common.keys import Keys

    find = lambda selector: browser.find_elements("css selector", selector)  # noqa: E731
    browser.get(page)
    (button,) = when(lambda: [button for button in find("button") if button.text == "Restore"])
    assert browser.title == "Clarion"
    (method,), (strength,) = find("input[aria-label=Method]"), find("input[type=number]")
    assert (method.get_attribute("value"), strength.get_attribute("value")) == ("sinc", "1")
    find("input[type=file]")[0].send_keys(str(song))
    when(lambda: find("a[href$='song.flac']"))
    method.click()
    when(lambda: find("[role=option][aria-label=wiener]"))[0].click()
    strength.send_keys(f"{Keys.CONTROL}a{Keys.NULL}0.5{Keys.TAB}")
    button.click()
    told = when(lambda: find("textarea")[0].get_attribute("value"))
    assert told.startswith("played at one loudness: input ")
    link = when(lambda: [each.get_attribute("href") for each in find("#restored a[href]")])[0]
    assert urlopen(link).read() == restored
    when(lambda: find("img[src*=spectrograms]"))
    assert len(when(lambda: find("#waveform"))) == 2  # players
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert fetched and [name for name in fetched if not name.startswith((page, "blob:", "data:"))] == []
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_command_of_the_page_serves(arguments: list[str], tmp_path: Path) -> None:
    given = ["sinc" if argument == "runs/NAME" else argument for argument in arguments]
    with served(tmp_path, *given) as url, urlopen(url) as answer:
        assert "frame-ancestors" in answer.headers["content-security-policy"]
        assert '"title":"Clarion"' in answer.read().decode()
