"""The files that tell how a network learned mid and side: a table, curves, and an animation."""

import csv
from pathlib import Path
from typing import Any

import torch

from lightning_modules.callbacks.stereo_learning import NAMES, Learned
from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.figures import Curve, save_curves

FRAMES_PER_SECOND = 10
LONGEST_SECONDS = 20
"""Of an animation; frames are left out evenly where there are more."""
PARTS = ("mid", "side")


def write_learning(folder: Path, learned: Learned) -> dict[str, Any]:
    """Write learning.csv, a line for every step that was listened to, and return the last of them for a result.

    Args:
        folder: of the run.
        learned: at least one step.
    """
    with (folder / "learning.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *NAMES])
        writer.writerows([step, *levels] for step, levels in zip(learned.steps, learned.levels, strict=True))
    return {"step": learned.steps[-1], **dict(zip(NAMES, learned.levels[-1], strict=True))}


def draw_learning(folder: Path, learned: Learned) -> Path:
    """Write learning.png, both curves over the steps, and return its path."""
    info = METRICS["snr_db"]
    curves = [
        Curve([pair[place] for pair in learned.levels], f"{info.title} of {part}", info.unit, info.least_span)
        for place, part in enumerate(PARTS)
    ]
    path = folder / "learning.png"
    save_curves(path, curves, "step", learned.steps)
    return path


def animate_learning(folder: Path, learned: Learned) -> Path:
    """Write learning.gif, the window over its copy after more and more steps, mid above side, and return its path.

    Args:
        folder: of the run.
        learned: with at least one frame.
    """
    from matplotlib.animation import PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 1, sharex=True)
    time_ms = 1000 * torch.arange(learned.window.shape[1]) / learned.sample_rate_hz
    top = 1.1 * max(float(learned.window.abs().max()), 1e-6)
    lines = []
    for panel, part, clean in zip(panels, PARTS, learned.window, strict=True):
        panel.plot(time_ms, clean, color="0.6", linewidth=2)
        lines += panel.plot(time_ms, clean, color="tab:red", linewidth=1)
        panel.set(ylabel=part, ylim=(-top, top))
    panels[-1].set_xlabel("time (ms)")
    writer, path = PillowWriter(fps=FRAMES_PER_SECOND), folder / "learning.gif"
    levels = dict(zip(learned.steps, learned.levels, strict=True))
    with writer.saving(figure, str(path), dpi=90):
        for place in _places(len(learned.frames)):
            step = learned.frame_steps[place]
            for line, signal in zip(lines, learned.frames[place], strict=True):
                line.set_ydata(signal)
            told = ", ".join(f"{part} {level:.1f} dB" for part, level in zip(PARTS, levels[step], strict=True))
            figure.suptitle(f"step {step}: {told}", fontsize="medium")
            writer.grab_frame()
    return path


def _places(count: int) -> list[int]:
    """Return the frames to show, the first and the last among them.

    >>> _places(3)
    [0, 1, 2]
    """
    shown = min(count, FRAMES_PER_SECOND * LONGEST_SECONDS)
    return [round(place * (count - 1) / max(1, shown - 1)) for place in range(shown)]
