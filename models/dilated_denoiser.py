"""A denoiser of dilated convolutions that keeps the rate, and the network in whose features its errors are measured.

Germain, Chen and Koltun, "Speech denoising with deep feature losses" (arXiv 1806.10522): convolutions of three taps, 1, 2, 4, ...
samples apart, one more of neighbors, and a last one of a single tap. Each is normalized adaptively, by alpha x + beta BN(x).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.classifying import Classifier, heads
from models.layers.counts import check_count
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.starting import zeroed
from models.restorer import Restorer

TAPS = 3
LEAK = 0.2


class AdaptiveNorm(nn.Module):
    """Learn how much of features is normalized: alpha x + beta BN(x), alpha 1 and beta 0 at first, and a shift of every channel.

    Published, the shift is that of the batch normalization, and so beta times another.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha, self.beta = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
        self.shift = nn.Parameter(torch.zeros(channels, 1))
        self.norm = nn.BatchNorm1d(channels, affine=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, T) to (N, C, T)."""
        normalized: Tensor = self.alpha * features + self.beta * self.norm(features) + self.shift
        return normalized


class DilatedDenoiser(Restorer):
    """Restore a waveform by adding a learned correction to it; at initialization the correction is zero.

    Args:
        layers: dilated ones, of dilations 1, 2, 4, ...
        channels: of each.

    Raises:
        SettingError: if one is no whole number above 0.
    """

    def __init__(self, layers: int = 13, channels: int = 64) -> None:
        super().__init__()
        check_count("@layers", layers)
        check_count("@channels", channels)
        self.dilations = [*(2**power for power in range(layers)), 1]
        befores = [1, *layers * [channels]]
        self.body = nn.Sequential(
            *(_block(before, channels, dilation) for before, dilation in zip(befores, self.dilations, strict=True))
        )
        self.last = zeroed(nn.Conv1d(channels, 1, 1))

    @property
    def reach_samples(self) -> int:
        """The sum of all dilations."""
        return sum(self.dilations)

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        return self.restored(corrupted, from_mono_batch(self.last(self.body(to_mono_batch(corrupted, 1))), corrupted))

    def restored(self, corrupted: Tensor, found: Tensor) -> Tensor:
        """Return the signal (B, C, T) from the input and what the network finds, both (B, C, T): a correction."""
        return corrupted + found


class DilatedDenoiserPublished(DilatedDenoiser):
    """The same with the signal itself as its output, as francoisgermain/SpeechDenoisingWithDeepFeatureLosses has it.

    Weights are drawn as by TensorFlow Slim, which it was written for. The arguments are those of `DilatedDenoiser`.
    """

    identity_at_start = False

    def __init__(self, layers: int = 13, channels: int = 64) -> None:
        super().__init__(layers, channels)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.xavier_uniform_(layer.weight)

    def restored(self, corrupted: Tensor, found: Tensor) -> Tensor:
        """Return what was found."""
        return found


class SoundClassifier(Classifier):
    """Tell what a sound is: strided convolutions, the mean over time, and a linear layer for every task.

    Layers have three taps, halve the rate, all but the last, and have twice as many channels after every fifth.

    Args:
        layers: of convolutions.
        channels: of the first five.
        tasks: that there are labels of.
        classes: that each task has at most.

    Raises:
        SettingError: if one is no whole number above 0.
    """

    def __init__(self, layers: int = 15, channels: int = 32, tasks: int = 3, classes: int = 256) -> None:
        super().__init__()
        for name, count in {"layers": layers, "channels": channels, "tasks": tasks, "classes": classes}.items():
            check_count(f"@{name}", count)
        self.tasks, self.classes = tasks, classes
        widths = [channels * 2 ** (layer // 5) for layer in range(layers)]
        strides = (layers - 1) * [2] + [1]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv1d(before, after, TAPS, stride, 1, bias=False), nn.BatchNorm1d(after), nn.LeakyReLU(LEAK))
            for before, after, stride in zip([1, *widths], widths, strides, strict=False)
        )
        self.heads = heads(widths[-1], tasks, classes)

    def prepared(self, signal: Tensor) -> Tensor:
        """Return the channels (B * C, 1, T) of signals (B, C, T)."""
        return to_mono_batch(signal, 1)


def label_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross entropy of those examples that have a label.

    Args:
        logits: (B, classes).
        labels: (B,), -1 where there is none.

    Returns:
        () scalar, 0 if there is none at all.
    """
    total = functional.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return total / (labels >= 0).sum().clamp(min=1)


def _block(before: int, after: int, dilation: int) -> nn.Sequential:
    convolution = nn.Conv1d(before, after, TAPS, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, AdaptiveNorm(after), nn.LeakyReLU(LEAK))
