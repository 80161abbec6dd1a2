"""One value of one package for one pair. Worker processes import this file: it loads no torch, and a package when it is used.

ViSQOL v3 (Chinen et al. 2020, arXiv 2004.09584), Zimtohrli (Alakuijala et al. 2025, arXiv 2509.26133), DNSMOS P.835 (Reddy et al.
2022, arXiv 2110.01763).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lightning_modules.metrics.perceptual.panel import Kind

MUSIC_RATE_HZ, SPEECH_RATE_HZ = 48_000, 16_000
SHORTEST_SECONDS = 0.5
"""Zimtohrli 0.2.1 damages the memory of its process below about 0.1 s, and ViSQOL finds no patch below about 0.5 s."""
DNSMOS_SECONDS = 9.01
"""What the network of DNSMOS hears at once."""

Score = Callable[[np.ndarray, np.ndarray], float]
"""From one channel of the restored and of the clean signal, (T,) each, to a value."""


@dataclass(frozen=True)
class Question:
    """A pair, and the metric that is asked about it.

    Attributes:
        metric: its name.
        kind: what the signals are.
        restored: (C, T).
        clean: (C, T).
        sample_rate: of both, in Hz.
    """

    metric: str
    kind: Kind
    restored: np.ndarray
    clean: np.ndarray
    sample_rate: int


@dataclass(frozen=True)
class Answer:
    """A value, averaged over channels, or NaN and the reason why there is none."""

    value: float
    reason: str | None = None


@dataclass(frozen=True)
class Package:
    """What a metric needs.

    Attributes:
        modules: that have to be installed.
        rates_hz: that it listens at, by the kind of the signals; it has no value for other kinds.
        score: makes the function of a kind, in a worker process.
    """

    modules: tuple[str, ...]
    rates_hz: dict[Kind, int]
    score: Callable[[Kind], Score]


def offered(kind: Kind) -> tuple[str, ...]:
    """Return the names of the metrics for a kind of signals whose packages are installed; what is not is no matter."""
    return tuple(
        name
        for name, package in PACKAGES.items()
        if kind in package.rates_hz and all(find_spec(module) is not None for module in package.modules)
    )


def answer(question: Question) -> Answer:
    """Ask a package; whatever goes wrong in there is an answer without a value."""
    try:
        value = _value(question)
    except Exception as error:
        return Answer(math.nan, f"{type(error).__name__}: {' '.join(str(error).split())}"[:200])
    return Answer(value) if math.isfinite(value) else Answer(math.nan, "the package gives no number")


def _value(question: Question) -> float:
    signals = question.restored, question.clean
    if not all(np.isfinite(signal).all() for signal in signals):
        raise ValueError("a sample is not finite")
    if question.clean.shape[-1] < SHORTEST_SECONDS * question.sample_rate:
        raise ValueError(f"shorter than {SHORTEST_SECONDS} s")
    package = PACKAGES[question.metric]
    rate_hz = package.rates_hz[question.kind]
    restored, clean = (_at_rate(signal, question.sample_rate, rate_hz) for signal in signals)
    score = package.score(question.kind)
    return float(np.mean([score(*channel) for channel in zip(restored, clean, strict=True)]))


def _at_rate(signal: np.ndarray, sample_rate: int, rate_hz: int) -> np.ndarray:
    """Resample (C, T) to (C, T')."""
    import soxr

    if sample_rate == rate_hz:
        return signal
    return np.ascontiguousarray(soxr.resample(signal.T, sample_rate, rate_hz).T)


@cache
def _visqol(kind: Kind) -> Score:
    """Make ViSQOL in audio or speech mode; the latter with its polynomial, so that no further package changes values."""
    from visqol import VisqolApi

    model = VisqolApi()
    model.create(mode="speech" if kind == "speech" else "audio", use_lattice_model=False)
    return partial(_visqol_of_one, model, PACKAGES["visqol"].rates_hz[kind])


def _visqol_of_one(model: Any, rate_hz: int, restored: np.ndarray, clean: np.ndarray) -> float:
    return float(model.measure_from_arrays(clean, restored, rate_hz).moslqo)


def _zimtohrli(kind: Kind) -> Score:
    import zimtohrli

    return lambda restored, clean: float(zimtohrli.mos_from_signals(clean, restored))


@cache
def _dnsmos(kind: Kind) -> Score:
    """Open the network that the package brings; the rest of the package would take librosa for a value that is not used."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # there is a process for every processor
    found = find_spec("speechmos")
    assert found is not None and found.submodule_search_locations is not None
    path = Path(next(iter(found.submodule_search_locations))) / "dnsmos_models" / "sig_bak_ovr.onnx"
    return partial(_dnsmos_of_one, onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))


def _dnsmos_of_one(session: Any, restored: np.ndarray, clean: np.ndarray) -> float:
    """Return the overall rating of the restored signal alone, clipped as in a file: the mean over 9.01 s from every second on.

    As the package does, a shorter signal is doubled until it is long enough.
    """
    signal = np.clip(restored, -1, 1).astype(np.float32)
    length = int(DNSMOS_SECONDS * SPEECH_RATE_HZ)
    while signal.size < length:
        signal = np.tile(signal, 2)
    stretches = int(signal.size // SPEECH_RATE_HZ - DNSMOS_SECONDS) + 1
    parts = (signal[None, start : start + length] for start in range(0, stretches * SPEECH_RATE_HZ, SPEECH_RATE_HZ))
    raw = np.array([session.run(None, {"input_1": part})[0][0][2] for part in parts])
    return float(np.mean(-0.06766283 * raw**2 + 1.11546468 * raw + 0.04602535))


BOTH_AT_48_KHZ: dict[Kind, int] = {"music": MUSIC_RATE_HZ, "speech": MUSIC_RATE_HZ}
PACKAGES = {
    "visqol": Package(("visqol",), {"music": MUSIC_RATE_HZ, "speech": SPEECH_RATE_HZ}, _visqol),
    "zimtohrli": Package(("zimtohrli",), BOTH_AT_48_KHZ, _zimtohrli),
    "dnsmos": Package(("speechmos", "onnxruntime"), {"speech": SPEECH_RATE_HZ}, _dnsmos),
}
