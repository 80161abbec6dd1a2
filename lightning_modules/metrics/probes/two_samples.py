"""Whether restored sound can be told from clean sound by anybody at all: a classifier two-sample test.

After Lopez-Paz and Oquab (2017, arXiv 1610.06545): a classifier learns to tell the two, and its accuracy on what it has not seen
is the score. Here it is a logistic regression on mel spectra, small and the same for all methods, so that scores can be compared;
what it cannot tell, a larger one may.
"""

import math

import torch
from torch import Tensor, nn

from lightning_modules.metrics.lsd import DEPTH_DB, HANN_2048, POWER_FLOOR, power_spectrogram
from lightning_modules.metrics.mel import mel_bands
from lightning_modules.metrics.probes.subject import Subject

MOST_PAIRS = 64
SEGMENT_SECONDS = 0.5
DECAY = 0.01
"""Of the weights: half of its square norm counts as much as the mean loss."""
STEPS = 100
CHANCE = 50.0


def c2st(subject: Subject) -> float:
    """Return in percent how often a classifier rightly says whether half a second is restored or clean; 50 is guessing.

    It learns from half of the recordings of up to 64 test pairs, and is asked about the others, and the other way round.

    Returns:
        Percent from 50 to 100, less than guessing counting as guessing; NaN for fewer than two recordings.
    """
    segments: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for pair in subject.pairs.spread(MOST_PAIRS):
        both = features(subject.restore(pair.corrupted), subject.sample_rate), features(pair.clean, subject.sample_rate)
        segments.setdefault(pair.recording, []).append(both)
    if len(segments) < 2:
        return math.nan
    shuffled = torch.randperm(len(segments), generator=torch.Generator().manual_seed(0)).tolist()
    by_recording = [segments[name] for name in sorted(segments)]
    halves = [[pair for place in shuffled[first::2] for pair in by_recording[place]] for first in (0, 1)]
    shares = [_accuracy(halves[known], halves[1 - known]) for known in (0, 1)]
    return max(CHANCE, 100 * sum(shares) / 2)


def features(signal: Tensor, sample_rate: int) -> Tensor:
    """Return mean and deviation over half a second of log10 mel powers, each frame no deeper than 60 dB below its loudest bin.

    Args:
        signal: (C, T).
        sample_rate: in Hz.

    Returns:
        (C * segments, 160) in float64; a last incomplete segment is left out unless it is the only one.
    """
    power = power_spectrogram(signal[None].cpu(), HANN_2048)[0].nan_to_num()  # (C, bins, frames)
    floor = (power.amax(dim=-2, keepdim=True) * 10 ** (-DEPTH_DB / 10)).clamp_min(POWER_FLOOR)
    levels = torch.log10(mel_bands(sample_rate) @ torch.maximum(power, floor)).cpu().double()  # (C, 80, frames)
    frames = min(levels.shape[-1], max(2, round(SEGMENT_SECONDS * sample_rate / HANN_2048.hop_samples)))
    cut = levels.unfold(-1, frames, frames)  # (C, 80, segments, frames)
    both = torch.cat([cut.mean(dim=-1), cut.std(dim=-1, correction=0)], dim=1)
    return both.transpose(1, 2).flatten(0, 1)


def _accuracy(known: list[tuple[Tensor, Tensor]], asked: list[tuple[Tensor, Tensor]]) -> float:
    """Return how often a classifier that was shown some pairs of features (N, F) is right about others, from 0 to 1."""
    inputs, labels = _labeled(known)
    center, spread = inputs.mean(dim=0), inputs.std(dim=0).clamp_min(1e-6)
    weights = _fit((inputs - center) / spread, labels)
    inputs, labels = _labeled(asked)
    logits = _logits((inputs - center) / spread, weights)
    right = torch.where(logits == 0, 0.5, ((logits > 0) == (labels > 0)).double())
    return float(right.mean())


def _labeled(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return features (N, F) and 1 where they are of clean signals, else 0 (N,)."""
    restored, clean = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return torch.cat([restored, clean]), torch.cat([torch.zeros(len(restored)), torch.ones(len(clean))]).double()


def _fit(inputs: Tensor, labels: Tensor) -> Tensor:
    """Return weights and bias (F + 1,) of the logistic regression of labels (N,) on inputs (N, F)."""
    weights = torch.zeros(inputs.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        value = nn.functional.binary_cross_entropy_with_logits(_logits(inputs, weights), labels)
        value = value + DECAY / 2 * weights[:-1].square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        solver.step(loss)  # type: ignore[no-untyped-call, unused-ignore]
    return weights.detach()


def _logits(inputs: Tensor, weights: Tensor) -> Tensor:
    return inputs @ weights[:-1] + weights[-1]
