"""Convolutions from waveform to waveform, and the network with fully connected layers whose place they took.

Fu, Tsao, Lu and Kawai, "Raw waveform-based speech enhancement by fully convolutional networks" (arXiv 1703.02205): an output of a
connected layer knows all of a frame and not where in it, and little is left of high frequencies. Convolutions keep places.
"""

from torch import Tensor, nn

from models.layers.counts import check_count, check_odd
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.starting import zeroed
from models.restorer import Restorer, StridedRestorer


class FCNRaw(Restorer):
    """Add a correction to a waveform: convolutions of one length, and PReLUs between them; zero at initialization.

    Args:
        layers: convolutions before the last one, which has one channel.
        filters: of each.
        taps: of all, odd.

    Raises:
        SettingError: if a count is none, or the taps are even.
    """

    level_free = True
    normalized = False

    def __init__(self, layers: int = 6, filters: int = 15, taps: int = 11) -> None:
        super().__init__()
        self.hidden = convolutions(layers, filters, taps, self.normalized)
        self.last = zeroed(nn.Conv1d(filters, 1, taps, padding=taps // 2, bias=False))
        self.reach = (layers + 1) * (taps // 2)

    @property
    def reach_samples(self) -> int:
        """Half the taps of every convolution."""
        return self.reach

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T), of a signal (B, C, T)."""
        return corrupted + self.found(corrupted)

    def found(self, corrupted: Tensor) -> Tensor:
        """Return what the layers put out for a signal (B, C, T), of the same shape."""
        return from_mono_batch(self.last(self.hidden(to_mono_batch(corrupted, 1))), corrupted)


class FCNRawPublished(FCNRaw):
    """The published network, 12,705 weights of convolutions: they give the signal itself, and batches are normalized.

    The arguments are those of `FCNRaw`.
    """

    identity_at_start = False
    level_free = False
    normalized = True

    def __init__(self, layers: int = 6, filters: int = 15, taps: int = 11) -> None:
        super().__init__(layers, filters, taps)
        self.last.reset_parameters()

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T), of a signal (B, C, T)."""
        return self.found(corrupted)


class ConnectedRaw(StridedRestorer):
    """Add a correction to a waveform, frame by frame: convolutions, then two fully connected layers; zero at initialization.

    Frames do not overlap, and know nothing of each other.

    Args:
        layers: convolutions.
        filters: of each.
        taps: of all, odd.
        hidden: width of the first connected layer.
        frame_samples: that are restored at once.

    Raises:
        SettingError: if a count is none, or the taps are even.
    """

    level_free = True
    normalized = False

    def __init__(self, layers: int = 4, filters: int = 15, taps: int = 11, hidden: int = 1024, frame_samples: int = 512) -> None:
        super().__init__()
        check_count("@hidden", hidden)
        check_count("@frame_samples", frame_samples)
        self.multiple = frame_samples
        self.hidden = convolutions(layers, filters, taps, self.normalized)
        self.connected = nn.Sequential(
            nn.Flatten(),
            nn.Linear(filters * frame_samples, hidden, bias=False),
            *([nn.BatchNorm1d(hidden)] if self.normalized else []),
            nn.PReLU(hidden),
        )
        self.last = zeroed(nn.Linear(hidden, frame_samples, bias=False))

    @property
    def reach_samples(self) -> int:
        """To the other end of a frame."""
        return self.multiple - 1

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T), of a signal (B, C, T)."""
        return corrupted + self.found(corrupted)

    def found(self, corrupted: Tensor) -> Tensor:
        """Return what the layers put out for a signal (B, C, T), of the same shape."""
        mono = to_mono_batch(corrupted, self.multiple)  # (B * C, 1, T')
        frames = mono.reshape(-1, 1, self.multiple)
        return from_mono_batch(self.last(self.connected(self.hidden(frames))).reshape(mono.shape), corrupted)


class ConnectedRawPublished(ConnectedRaw):
    """The network that the published one is compared with: it gives the signal itself, and batches are normalized.

    The arguments are those of `ConnectedRaw`.
    """

    identity_at_start = False
    level_free = False
    normalized = True

    def __init__(self, layers: int = 4, filters: int = 15, taps: int = 11, hidden: int = 1024, frame_samples: int = 512) -> None:
        super().__init__(layers, filters, taps, hidden, frame_samples)
        self.last.reset_parameters()

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T), of a signal (B, C, T)."""
        return self.found(corrupted)


def convolutions(layers: int, filters: int, taps: int, normalized: bool) -> nn.Sequential:
    """Return convolutions from (N, 1, T) to (N, filters, T), each with a PReLU behind it, and a batch normalization if asked for.

    Raises:
        SettingError: if a count is none, or the taps are even.
    """
    check_count("@layers", layers)
    check_count("@filters", filters)
    check_odd("@taps", taps)
    stack: list[nn.Module] = []
    for number in range(layers):
        stack.append(nn.Conv1d(filters if number else 1, filters, taps, padding=taps // 2, bias=False))
        if normalized:
            stack.append(nn.BatchNorm1d(filters))
        stack.append(nn.PReLU(filters))
    return nn.Sequential(*stack)
