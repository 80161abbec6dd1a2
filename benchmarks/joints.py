"""Restore sines and recordings frame by frame, join the frames in four ways, and measure and draw what the joints do.

    python benchmarks/joints.py runs/NAME --picture joints.png                # sines in noise
    python benchmarks/joints.py runs/NAME --audio DIR --frame 1024            # recordings in noise

A network that sees one frame at a time does not know what comes before and after it. The open question of
ColinShaw/python-neural-network-audio-reconstruction is what that does where frames meet. The frames are

    hard        put side by side,
    discard     overlapped by half, of each the middle half kept,
    hann        overlapped by half, and added under periodic Hann windows,
    causal      those that end with the newest quarter of a frame, which alone is kept: sound that is still coming in.

For each way: the signal-to-noise ratio; at the joints, the root mean square error of the jump from a sample to the next, and of
the change of the slope across it; and both over what they are between joints, so that 1.0 is a joint that nobody can find. Each
signal has its rows, and the last ones are the means over all of them.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.seams import read_mono
from datamodules.corruptions.impulses import Impulses
from datamodules.draws import uniform
from datamodules.seeding import generator_for
from lightning_modules.commands.opening import open_method
from lightning_modules.metrics.snr import snr_db

Frames = Callable[[Tensor], Tensor]
"""Restores frames (N, 1, F)."""
SEED, AROUND = 0, 24


@dataclass(frozen=True)
class Joined:
    """A restored signal (T,) and the samples (J,) that begin what another frame has restored."""

    signal: Tensor
    joints: Tensor


def _framed(signal: Tensor, frame: int, hop: int) -> Tensor:
    """Return frames (N, 1, F) of (T,) that start every hop."""
    return signal.unfold(0, frame, hop)[:, None]


def hard(restore: Frames, signal: Tensor, frame: int) -> Joined:
    """Put frames side by side; the signal (T,) is a whole number of frames."""
    joined = restore(_framed(signal, frame, frame))
    return Joined(joined.flatten(), torch.arange(frame, len(signal), frame))


def discard(restore: Frames, signal: Tensor, frame: int) -> Joined:
    """Keep the middle half of overlapping frames, and the ends of the first and the last one."""
    edge = frame // 4
    restored = restore(_framed(signal, frame, frame // 2))[:, 0]
    middle = restored[:, edge : frame - edge].flatten()
    joined = torch.cat([restored[0, :edge], middle, restored[-1, frame - edge :]])
    return Joined(joined, torch.arange(frame - edge, len(signal) - edge, frame // 2))


def hann(restore: Frames, signal: Tensor, frame: int) -> Joined:
    """Add overlapping frames under periodic Hann windows, over the sum of these at the ends."""
    hop = frame // 2
    frames = restore(_framed(signal, frame, hop))[:, 0]
    window = torch.hann_window(frame) + torch.finfo(torch.float32).eps
    joined, weight = torch.zeros_like(signal), torch.zeros_like(signal)
    for number, restored in enumerate(frames):
        place = slice(number * hop, number * hop + frame)
        joined[place] += window * restored
        weight[place] += window
    return Joined(joined / weight, torch.arange(hop, len(signal) - hop + 1, hop))


def causal(restore: Frames, signal: Tensor, frame: int) -> Joined:
    """Keep the newest quarter of frames that end with it; what is before the beginning is silent."""
    hop = frame // 4
    padded = torch.cat([signal.new_zeros(frame - hop), signal])
    joined = restore(_framed(padded, frame, hop))[:, 0, -hop:]
    return Joined(joined.flatten(), torch.arange(hop, len(signal), hop))


WAYS: dict[str, Callable[[Frames, Tensor, int], Joined]] = {"hard": hard, "discard": discard, "hann": hann, "causal": causal}


def jumps(error: Tensor) -> Tensor:
    """Return by how much the error (T,) jumps before each sample, (T,)."""
    return torch.cat([error.new_zeros(1), error.diff()]).abs()


def bends(error: Tensor) -> Tensor:
    """Return by how much the slope of the error (T,) changes across the step before each sample, (T,)."""
    slope = error.diff()
    return torch.cat([error.new_zeros(2), slope[2:] - slope[:-2], error.new_zeros(1)]).abs()


def at_joints(values: Tensor, joints: Tensor) -> tuple[float, float]:
    """Return the root mean square of (T,) at joints, and that over the one between them."""
    between = torch.ones(len(values), dtype=torch.bool)
    for shift in (-2, -1, 0, 1, 2):
        between[(joints + shift).clamp(0, len(values) - 1)] = False
    there, elsewhere = (float(part.square().mean().sqrt()) for part in (values[joints], values[between]))
    return there, there / max(elsewhere, 1e-12)


def measure(joined: Joined, clean: Tensor) -> list[float]:
    """Return the SNR in dB, and of jumps and slopes the error at joints and that over the one between."""
    error = joined.signal - clean
    ratio_db = float(snr_db(joined.signal[None, None], clean[None, None]))
    return [ratio_db, *at_joints(jumps(error), joined.joints), *at_joints(bends(error), joined.joints)]


def line(title: str, name: str, values: list[float]) -> str:
    cells = [f"{value:.{digits}f}" for value, digits in zip(values, (2, 4, 2, 4, 2), strict=True)]
    return f"| {title} | {name} | {' | '.join(cells)} |"


def sine(samples: int, frame: int) -> Tensor:
    """Return a sine (T,) of random level, phase and pitch, 1 to 9 cycles in a frame."""
    generator = generator_for(SEED, "joints", samples)
    cycles, level, phase = (uniform(low, high, (), generator) for low, high in ((1.0, 9.0), (0.3, 1.0), (0.0, 1.0)))
    return level * torch.sin(2 * torch.pi * (cycles * torch.arange(samples) / frame + phase))


def signals(audio: Path | None, rate_hz: int, frame: int, seconds: float) -> Iterator[tuple[str, Tensor]]:
    """Yield names and clean signals (T,), each a whole number of frames long."""
    if audio is None:
        for number in range(8):
            yield f"sine {number + 1}", sine((200 + number) * frame, frame)
        return
    for path in sorted(audio.glob("*.flac"))[:3]:
        signal = read_mono(path, rate_hz, seconds)[0]
        yield path.stem, signal[: len(signal) // frame * frame]


def near_joints(error: Tensor, joints: Tensor) -> Tensor:
    """Return the root mean square of an error (T,) at places from AROUND before to AROUND after joints, (2 AROUND + 1,)."""
    inner = joints[(joints >= AROUND) & (joints < len(error) - AROUND)]
    return error[inner[:, None] + torch.arange(-AROUND, AROUND + 1)].square().mean(dim=0).sqrt()


def draw(path: Path, title: str, errors: dict[str, Tensor]) -> None:
    """Draw the error of each way over the distance from a joint."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, error in errors.items():
        axes.plot(torch.arange(-AROUND, AROUND + 1), error, label=name)
    axes.axvline(-0.5, color="gray", linewidth=0.7, linestyle=":")
    axes.set(title=title, xlabel="samples from a joint", ylabel="root mean square error", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what joining frames does.")
    parser.add_argument("method", help="a run folder, a checkpoint, or the name of a method without training")
    parser.add_argument("--audio", type=Path, metavar="DIR", help="a folder of FLAC files, of which three are taken; none: sines")
    parser.add_argument("--frame", type=int, default=100, help="in samples, a multiple of 4")
    parser.add_argument("--rate", type=int, default=4000, help="of the signals for methods that take any, in Hz")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each recording")
    parser.add_argument("--deviation", type=float, default=0.05, help="of the noise, full scale 1")
    parser.add_argument("--picture", type=Path, metavar="PNG")
    options = parser.parse_args()
    if options.frame < 4 or options.frame % 4:
        parser.error(f"--frame {options.frame} must be a multiple of 4")
    module = open_method(options.method, "cpu")(options.rate)
    noise, errors = Impulses(deviation=options.deviation), {name: list[Tensor]() for name in WAYS}
    measured = {name: list[list[float]]() for name in WAYS}
    print("| signal | frames | SNR, dB | jump error | over between | slope error | over between |\n|---|---|---|---|---|---|---|")
    for title, clean in signals(options.audio, module.sample_rate, options.frame, options.seconds):
        noisy = noise(clean[None, None], module.sample_rate, generator_for(SEED, title))[0, 0]
        for name, join in WAYS.items():
            with torch.inference_mode():
                joined = join(module.restore, noisy, options.frame)
            measured[name].append(measure(joined, clean))
            print(line(title, name, measured[name][-1]), flush=True)
            errors[name].append(near_joints(joined.signal - clean, joined.joints))
    for name, values in measured.items():
        print(line("all", name, torch.tensor(values).mean(dim=0).tolist()))
    if options.picture:
        means = {name: torch.stack(each).square().mean(dim=0).sqrt() for name, each in errors.items()}
        draw(options.picture, f"{Path(options.method).name}, frames of {options.frame} samples", means)


if __name__ == "__main__":
    main()
