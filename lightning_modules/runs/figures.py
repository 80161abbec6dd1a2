"""Pictures of results: spectrograms of some signals under one color scale, and curves over one axis."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.layers import stft

DYNAMIC_RANGE_DB = 90.0
FFT_SAMPLES = 1024


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

    pictures = {caption: spectrogram_db(signal).numpy() for caption, signal in signals.items()}
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
        axis.set_ylabel(f"{caption}\nkHz")
    axes[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(axes), label="dB re full scale")
    figure.suptitle(title, fontsize="medium")
    figure.savefig(path, dpi=110)


def save_curves(path: Path, curves: Mapping[str, Sequence[float]], axis: str) -> None:
    """Draw some curves side by side over 0, 1, 2, ... and save them as a PNG.

    Args:
        path: of the PNG.
        curves: values by name, the same number each.
        axis: what is counted.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(curves), 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(1, len(curves)))
    for panel, (name, values) in zip(axes, curves.items(), strict=True):
        panel.plot(values, marker="o" if len(values) <= 32 else None)
        panel.set(title=name, xlabel=axis)
        panel.ticklabel_format(axis="y", useOffset=False)
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
