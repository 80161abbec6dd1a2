"""How far an exported file is from the method it was made of, on signals of several lengths."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lightning_modules.base import RestorationModule
from models.exporting.streaming import StreamGraph
from models.mask_net_causal import MaskNetCausal
from models.restorer import SegmentedRestorer
from models.streaming.overlap_add import apply_in_chunks

Run = Callable[..., list[np.ndarray]]
"""Maps the inputs of a file, in their order, to its outputs."""
Shape = tuple[int, int]
"""Channels and samples."""
ERRORS = 3
"""Of what a runtime says, the lowest kind that is told: no warnings about what it left out of a file."""


def differences(module: RestorationModule, path: Path) -> Iterator[tuple[Shape, float]]:
    """Yield, for several signals, their shapes and the largest difference of a sample.

    Args:
        module: the method.
        path: of the file.
    """
    run = runner(path)
    with torch.inference_mode():
        for shape in shapes(module):
            signal = sample_signal(shape, module.sample_rate)
            found = _streamed(run, signal, module.net) if isinstance(module.net, MaskNetCausal) else _whole(run, signal, module)
            yield shape, float((found - module.restore(signal[None])[0]).abs().max())


def shapes(module: RestorationModule) -> list[Shape]:
    """Return the signals that are compared: short ones, odd ones, several channels, more than a segment."""
    rate, net = module.sample_rate, module.net
    lengths = [(1, rate // 100), (2, rate + 1), (1, 3 * rate + 7)]
    return [*lengths, (1, net.segments.limit_samples + rate)] if isinstance(net, SegmentedRestorer) else lengths


def sample_signal(shape: Shape, sample_rate: int) -> Tensor:
    """Return noise and two tones, which set in suddenly and swell, below full scale, of a shape (C, T)."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    time = torch.arange(shape[1]) / sample_rate
    tones = (440 * torch.pi * 2 * time).sin() + (0.11 * torch.pi * sample_rate * time).sin()
    begun = time > time[shape[1] // 3]
    return 0.2 * begun * tones * (0.6 + 0.4 * (3 * time).sin()) + 0.03 * noise


def runner(path: Path) -> Run:
    """Open a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return lambda *inputs: list(session.run(None, dict(zip(names, inputs, strict=True))))


def _whole(run: Run, signal: Tensor, module: RestorationModule) -> Tensor:
    def restore(part: Tensor) -> Tensor:
        return torch.from_numpy(run(part.numpy())[0])

    net = module.net
    return apply_in_chunks(restore, signal, net.segments) if isinstance(net, SegmentedRestorer) else restore(signal)


def _streamed(run: Run, signal: Tensor, net: MaskNetCausal) -> Tensor:
    samples, hop = signal.shape[-1], net.hop_samples
    late = samples + net.delay_samples
    filled = functional.pad(signal, (0, late + -late % hop - samples))
    state, found = np.zeros((len(signal), StreamGraph(net).state_values), np.float32), []
    for block in filled.split(hop, dim=-1):
        restored, state = run(block.numpy(), state)
        found.append(torch.from_numpy(restored))
    return torch.cat(found, dim=-1)[:, net.delay_samples : late]
