"""Run folders to report, and a real browser for the pages, driven over its debugging pipe."""

import base64
import csv
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from datamodules.audio import io as audio_io

RATE_HZ = 8000
INPUT_DB = (5.0, 5.2, 4.8, 5.1, 4.9, 5.0)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a run folder as train.py does."""

    def make(
        name: str,
        si_sdr_db: Sequence[float] = (7.0, 7.2, 6.8, 7.1, 6.9, 7.0),
        input_db: Sequence[float] = INPUT_DB,
        seed: int = 0,
        lr: float = 1e-3,
        examples: int = 0,
        result: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
    ) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        means = {"si_sdr_db": float(np.mean(si_sdr_db)), "lsd": 2.0}
        corrupted = {"si_sdr_db": float(np.mean(input_db)), "lsd": 2.5}
        methods = {"corrupted": {"kind": "corrupted"} | corrupted, "wiener": {"kind": "classical", "si_sdr_db": 6.5, "lsd": 2.2}}
        facts = {
            "status": "finished",
            "monitor": "val/si_sdr_db",
            "params": 1000,
            "training_seconds": 3.0,
            "git_commit": "abc1234",
        }
        facts |= {"metrics": {}, "manifest_hash": "f00d", "seed": seed, "sample_rate_hz": RATE_HZ}
        facts |= {"methods": methods | {"unet": {"kind": "learned"} | means}}
        (folder / "result.json").write_text(json.dumps(facts | (result or {})), encoding="utf-8")
        settings = {
            "seed": seed,
            "monitor": "val/si_sdr_db",
            "choices": {"model": "unet", "data": "folder", "corruption": "noise"},
        }
        settings |= {"model": {"optimizer": {"lr": lr}}, "corruption": {"snr_db": 5}, "data": {"eval_seconds": 1, "seed": seed}}
        (folder / "config.yaml").write_text(yaml.safe_dump(settings | (config or {})), encoding="utf-8")
        write_pairs(folder / "per_example.csv", si_sdr_db, input_db)
        for index in range(examples):
            write_example(folder / "examples", index, seed)
        return folder

    return make


def write_pairs(path: Path, restored: Sequence[float], corrupted: Sequence[float]) -> None:
    """Write the scores of pairs, two of each recording."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["file", "offset_samples", "checksum", "index", "si_sdr_db", "lsd", "corrupted_si_sdr_db", "corrupted_lsd"]
        )
        for index, (mine, theirs) in enumerate(zip(restored, corrupted, strict=True)):
            writer.writerow([f"{index // 2}.flac", 100 * (index % 2), "c0ffee", index, mine, 2.0, theirs, 2.5])


def write_example(folder: Path, index: int, seed: int) -> None:
    """Write a decaying tone, in noise, and in less noise at half the level."""
    rng = np.random.default_rng([index, seed])
    time_s = np.arange(RATE_HZ) / RATE_HZ
    clean = 0.4 * np.sin(2 * np.pi * 440 * (index + 1) * time_s)[None] * np.exp(-time_s)
    noise = 0.05 * np.random.default_rng(index).standard_normal(clean.shape)
    signals = {"clean": clean, "corrupted": clean + noise, "restored": 0.5 * clean + 0.1 * noise * rng.uniform(0.5, 1)}
    for name, signal in signals.items():
        audio_io.write(folder / f"{index:04d}_{name}.flac", signal.astype(np.float32), RATE_HZ)


FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=user-gesture-required",
    "--remote-debugging-pipe",
)


class Browser:
    """A page of headless Chromium: what its user does with mouse and keyboard, and what they see."""

    def __init__(self, program: str, folder: Path) -> None:
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        self.errors: list[str] = []
        their_input, self._commands = os.pipe()
        self._answers, their_output = os.pipe()
        for end in (their_input, their_output):
            os.set_inheritable(end, True)
        redirect = f'exec "$@" 3<&{their_input} 4>&{their_output}'
        command = ["bash", "-c", redirect, "-", program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(their_input, their_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(their_input)
        os.close(their_output)
        self._buffer, self._count, self._session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.resize(1200, 900)

    def close(self) -> None:
        os.close(self._commands)
        os.close(self._answers)
        self._process.terminate()
        self._process.wait(20)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the debugging protocol and return its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]["exceptionDetails"])[:2000])
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has gone"
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, path: Path) -> float:
        """Open a file and return the seconds until it had loaded and drawn a frame."""
        started = time.monotonic()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.readyState === 'complete'")
        self.evaluate("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        return time.monotonic() - started

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, a promise's once it is settled."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 10) -> None:
        limit = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < limit, f"still not so: {condition}; errors: {self.errors}"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click the middle of the first visible element."""
        find = f"[...document.querySelectorAll({json.dumps(selector)})].find(e => e.getClientRects().length)"
        box = self.evaluate(
            f"(() => {{ const e = {find}; e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key: a letter, " ", or a name such as "ArrowDown"."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "End": 35}.get(key)
        code = code or ord(key.upper())
        kind = "keyDown" if text else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(picture["data"]))

    def downloaded(self, suffix: str) -> Path:
        """Return the newest file of a kind that was saved, waiting for it."""
        limit = time.monotonic() + 10
        while not (found := sorted(self.downloads.glob(f"*.{suffix}"), key=lambda path: path.stat().st_mtime)):
            assert time.monotonic() < limit, f"nothing saved: {list(self.downloads.iterdir())}"
            time.sleep(0.05)
        return found[-1]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Start Chromium, from Debian's package `chromium`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium in PATH; on Debian: apt-get install chromium")
    folder = tmp_path / "browser"
    folder.mkdir()
    browser = Browser(program, folder)
    yield browser
    browser.close()
