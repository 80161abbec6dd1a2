"""A network that tells what sounds are by their log-mel spectra, built as image classifiers of the VGG type are.

Blocks of two convolutions of 3 x 3 with maxima of 2 x 2 between them (Simonyan and Zisserman, arXiv 1409.1556), on log-mel
spectra as in Hershey et al. (arXiv 1609.09430). It is far smaller than theirs, and averages its last features over time and
bands.
"""

from torch import Tensor, nn

from models.layers.classifying import Classifier, heads
from models.layers.counts import check_count
from models.layers.log_frames import LogFrames
from models.layers.mono_batch import to_mono_batch

HOP_SECONDS = 0.016
"""From frame to frame; a frame is twice as long."""


class MelClassifier(Classifier):
    """Tell what a sound is by its log-mel spectrum.

    Args:
        sample_rate: in Hz.
        bands: of the mel scale.
        channels: of the first block; each further one has twice as many.
        blocks: of two convolutions.
        tasks: that there are labels of.
        classes: that each task has at most.

    Raises:
        SettingError: if one is no whole number above 0, or there are more bands than bins.
    """

    def __init__(
        self, sample_rate: int, bands: int = 64, channels: int = 8, blocks: int = 3, tasks: int = 3, classes: int = 256
    ) -> None:
        super().__init__()
        for name, count in {"channels": channels, "blocks": blocks, "tasks": tasks, "classes": classes}.items():
            check_count(f"@{name}", count)
        self.tasks, self.classes = tasks, classes
        hop_samples = round(HOP_SECONDS * sample_rate)
        self.frames = LogFrames(sample_rate, 2 * hop_samples, hop_samples, bands)
        widths = [channels * 2 ** (layer // 2) for layer in range(2 * blocks)]
        pooled = [layer > 0 and layer % 2 == 0 for layer in range(2 * blocks)]
        self.layers = nn.ModuleList(map(_layer, [1, *widths], widths, pooled))
        self.heads = heads(widths[-1], tasks, classes)

    def prepared(self, signal: Tensor) -> Tensor:
        """Return the log-mel spectra (B * C, 1, bands, frames) of signals (B, C, T)."""
        return self.frames.features(self.frames.analyze(to_mono_batch(signal, 1)[:, 0]))[:, None]


def _layer(before: int, after: int, pooled: bool) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    maxima = [nn.MaxPool2d(2, ceil_mode=True)] if pooled else []  # a single frame has one, too
    return nn.Sequential(*maxima, convolution, nn.BatchNorm2d(after), nn.ReLU())
