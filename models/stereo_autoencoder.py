"""The akuz.me stereo autoencoder: two convolutions make a code of a stereo signal, two more make a signal of the code.

Convolutions of four taps halve the rate, rectified; transposed ones double it again. The published code has 64 channels at a
quarter of the rate, eight times as many numbers as the signal. Its first layer's width and its loss are not published: 32, which
makes 17,026 parameters, and the mean squared error here.
"""

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from models.layers.counts import check_count
from models.layers.edges import continued, silent
from models.layers.mid_side import as_given, as_mid_side
from models.layers.setting_error import SettingError
from models.layers.straight_through import rounded_to
from models.restorer import StridedRestorer

TAPS = 4
CHANNELS = 2
STRIDES = (4, 8, 16)
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {"left_right": as_given, "mid_side": as_mid_side}
EDGES: dict[str, Callable[[Tensor, int, int], Tensor]] = {"continued": continued, "zeros": silent}


class StereoAutoencoder(StridedRestorer):
    """Reproduce a stereo signal from a code.

    A transposed convolution of four taps with stride 2 adds two frames up in every output but the first and the last, which get
    one: with zeros around the signal (as published) some samples at each end are drawn towards zero. `edges=continued` runs the
    network on a signal that goes on, and crops.

    Args:
        code_channels: of the code; 64 as published, 8 at stride 4 make it as large as the signal.
        hidden_channels: of the layers between.
        stride: samples of a frame of the code: 4 (two convolutions, as published), 8 or 16.
        layout: what the layers see: left_right or mid_side.
        edges: what they see around the signal: continued, or zeros as published.
        code_step: to whose multiples the code is rounded, in training too; None does not.

    Raises:
        SettingError: if one is out of range.
    """

    identity_at_start = False
    channels = CHANNELS

    def __init__(
        self,
        code_channels: int = 64,
        hidden_channels: int = 32,
        stride: int = 4,
        layout: str = "left_right",
        edges: str = "continued",
        code_step: float | None = None,
    ) -> None:
        super().__init__()
        check_count("@code_channels", code_channels)
        check_count("@hidden_channels", hidden_channels)
        _check_choices(stride, layout, edges, code_step)
        self.multiple, self.code_step = stride, code_step
        self.turn, self.surround = LAYOUTS[layout], EDGES[edges]
        widths = [CHANNELS, *[hidden_channels] * (stride.bit_length() - 2), code_channels]
        self.down = nn.ModuleList(nn.Conv1d(a, b, TAPS, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.ConvTranspose1d(b, a, TAPS, stride=2, padding=1) for a, b in reversed([*pairwise(widths)]))
        reach = field(len(widths) - 1)
        self._reach_samples = reach
        self.margin = 0 if edges == "zeros" else -(-reach // stride) * stride

    @property
    def reach_samples(self) -> int:
        """Through the code and back."""
        return self._reach_samples

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the reproduction.

        Args:
            corrupted: (B, 2, T), any T.

        Returns:
            (B, 2, T).

        Raises:
            ValueError: for another number of channels.
        """
        return self.decode(self.encode(corrupted), corrupted.shape[-1])

    def encode(self, stereo: Tensor) -> Tensor:
        """Return the code, not negative, rounded if a step is given.

        Args:
            stereo: (B, 2, T).

        Returns:
            (B, code_channels, L), L frames of `stride` samples that cover the signal and what surrounds it.

        Raises:
            ValueError: for another number of channels.
        """
        if stereo.shape[1] != CHANNELS:
            given = stereo.shape[1]
            raise ValueError(f"the network takes channels={CHANNELS}, left and right; the number of those given is {given}")
        rest = -stereo.shape[-1] % self.multiple
        features = self.turn(self.surround(stereo, self.margin, self.margin + rest))
        for down in self.down:
            features = down(features).relu()
        return features if self.code_step is None else rounded_to(features, self.code_step)

    def decode(self, code: Tensor, samples: int) -> Tensor:
        """Return the signal (B, 2, T) of a code (B, code_channels, L).

        Args:
            code: from `encode`.
            samples: T, length of the signal.
        """
        features = code
        for up in self.up[:-1]:
            features = up(features).relu()
        return self.turn(self.up[-1](features))[..., self.margin : self.margin + samples]


def field(layers: int) -> int:
    """Return how far an output looks through so many convolutions down and as many up, in samples to either side.

    >>> field(2)
    9
    """
    spans = []
    for place in range(2**layers):
        low = high = place
        for _ in range(layers):
            low, high = -(-(low - 2) // 2), (high + 1) // 2
        for _ in range(layers):
            low, high = 2 * low - 1, 2 * high + 2
        spans += [place - low, high - place]
    return max(spans)


def _check_choices(stride: int, layout: str, edges: str, code_step: float | None) -> None:
    for name, value, allowed in (("stride", stride, STRIDES), ("layout", layout, LAYOUTS), ("edges", edges, EDGES)):
        if value not in allowed:
            raise SettingError(f"@{name}={value} must be {', '.join(map(str, allowed))}")
    if code_step is not None and not code_step > 0:
        raise SettingError(f"@code_step={code_step} must be above 0, or null to leave the code as it is")
