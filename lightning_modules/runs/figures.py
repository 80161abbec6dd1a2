"""Pictures of results: spectrograms of some signals under one color scale, and curves over one axis."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.layers import stft

DYNAMIC_RANGE_DB = 90.0
FFT_SAMPLES = 1024
MOST_COLUMNS = 4096
"""Of a spectrogram, more than a picture has; the frames of a longer signal are averaged to no more than these."""
TITLE_CHARACTERS = 34
"""As many stand over a panel of curves."""


def spectrogram_db(signal: Tensor) -> Tensor:
    """Return the level of a short-time spectrum in dB re a full-scale sine, averaged over the channels.

    Args:
        signal: (C, T).

    Returns:
        (513, frames), at least -200 dB.
    """
    window = torch.hann_window(FFT_SAMPLES)
    spectrum = stft.analyze(stft.filled_to_frame(signal, FFT_SAMPLES), window, FFT_SAMPLES // 4)
    power = (spectrum.abs() / (window.sum() / 2)).square().mean(dim=0)
    return 10 * torch.log10(power.clamp_min(1e-20))


def overview_db(signal: Tensor) -> Tensor:
    """Return what `spectrogram_db` gives, with the power of a long signal averaged over frames, so that memory stays bounded.

    Args:
        signal: (C, T).

    Returns:
        (513, columns), at most 4096 columns, or all frames of a signal that has about as many.
    """
    piece_samples = MOST_COLUMNS * FFT_SAMPLES // 4
    count = math.ceil(signal.shape[-1] / piece_samples)
    if count <= 1:
        return spectrogram_db(signal)
    powers = [10 ** (spectrogram_db(piece) / 10) for piece in signal.tensor_split(count, dim=-1)]
    columns = max(1, MOST_COLUMNS // count)
    return 10 * torch.log10(torch.cat([functional.adaptive_avg_pool1d(power, columns) for power in powers], dim=-1))


def save_spectrograms(path: Path, signals: Mapping[str, Tensor], sample_rate: int, title: str = "") -> None:
    """Draw the spectrograms of some signals one under the other and save them as a PNG.

    Args:
        path: of the PNG.
        signals: (C, T) by caption, the same length each.
        sample_rate: in Hz.
        title: over the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pictures = {caption: overview_db(signal).numpy() for caption, signal in signals.items()}
    top_db = float(np.ceil(max(picture.max() for picture in pictures.values())))
    seconds = next(iter(signals.values())).shape[-1] / sample_rate
    figure = Figure(figsize=(9, 2.1 * len(pictures) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(len(pictures), 1, sharex=True))
    for axis, (caption, picture) in zip(axes, pictures.items(), strict=True):
        image = axis.imshow(
            picture,
            origin="lower",
            aspect="auto",
            extent=(0, seconds, 0, sample_rate / 2000),
            vmin=top_db - DYNAMIC_RANGE_DB,
            vmax=top_db,
            cmap="magma",
        )
        axis.set_ylabel(f"{caption}\nfrequency (kHz)")
    axes[-1].set_xlabel("time (s)")
    figure.colorbar(image, ax=list(axes), label="level (dB re a full-scale sine)")
    figure.suptitle(title, fontsize="medium")
    figure.savefig(path, dpi=110)


@dataclass(frozen=True)
class Curve:
    """Values over 0, 1, 2, ... and how they are shown.

    Attributes:
        values: at least one.
        title: in words.
        unit: of the values; empty for a plain number.
        least_span: how much the axis shows at least, in that unit.
    """

    values: Sequence[float]
    title: str
    unit: str
    least_span: float


def save_curves(path: Path, curves: Sequence[Curve], axis: str, places: Sequence[int] | None = None) -> None:
    """Draw some curves side by side and save them as a PNG.

    Args:
        path: of the PNG.
        curves: with the same number of values each.
        axis: what is counted.
        places: of the values on it; None for 0, 1, 2, ...
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(3.4 * len(curves), 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, curve in zip(np.atleast_1d(figure.subplots(1, len(curves))), curves, strict=True):
        counted = range(len(curve.values)) if places is None else places
        panel.plot(counted, curve.values, marker="o" if len(curve.values) <= 32 else None)
        panel.set_title(wrapped(curve.title), fontsize="medium")
        panel.set(xlabel=axis, ylabel=curve.unit, ylim=limits(curve))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.ticklabel_format(axis="y", useOffset=False)
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def limits(curve: Curve) -> tuple[float, float] | None:
    """Return the ends of the axis: all finite values, and around their middle the least span; None leaves them to matplotlib.

    >>> limits(Curve([2.0, 2.01], "", "dB", 1.0)), limits(Curve([0.0, 10.0], "", "dB", 1.0))
    ((1.505, 2.505), (-0.5, 10.5))
    """
    finite = [value for value in curve.values if math.isfinite(value)]
    if not finite:
        return None
    middle, span = (max(finite) + min(finite)) / 2, max(1.1 * (max(finite) - min(finite)), curve.least_span)
    return middle - span / 2, middle + span / 2


def wrapped(title: str) -> str:
    """Break the lines of a title that are wider than a panel."""
    return "\n".join(textwrap.fill(line, TITLE_CHARACTERS, break_on_hyphens=False) for line in title.splitlines())
