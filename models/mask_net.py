"""A complex mask on a short-time spectrum, estimated on a coarse grid of patches and laid on bin by bin.

A patch is 16 x 8 rows and frames, one every 8 rows and 4 frames: nearly all of the network works on a grid with 32 times
fewer places than the spectrum has, so that it may be wide. Long frames (0.256 s) resolve the partials of music; a row is a bin,
or, above a frequency, eight bins that share a mask, where partials are too close or too weak to be told apart by. What
it takes from a long time, the floor of every bin from seconds and the mean of every row of patches from a whole segment, tells
steady noise from sound. What comes out, x + istft(M X), M = 0 before training, has the length of these frames where sound sets in
suddenly; a second stage looks at it in short ones. After training, nowhere is a signal changed by more than there is of it, and
what steadily leads up to a sudden sound is restored once more, as if that did not come; who learns has to hear of both faults.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft
from models.layers.counts import check_count
from models.layers.gain_stage import GainStage, bounded
from models.layers.level import level_of
from models.layers.mask_features import FEATURES, GROUPED_BINS, mask_features, of_bins
from models.layers.onsets import Onsets
from models.layers.setting_error import SettingError
from models.layers.starting import nearly_zeroed, side_by_side, zeroed
from models.restorer import SegmentedRestorer, segments_of

PATCH_BINS, PATCH_FRAMES = 8, 4
"""From patch to patch, rows and frames; each covers twice as much."""
FRAME_SECONDS, GAIN_FRAME_SECONDS = 0.256, 0.032
"""Of both stages, where no number of samples is given."""


class ContextBlock(nn.Module):
    """Add to every patch what its neighbors say, and what there is at its frequencies all the time; at first, little.

    x + W relu(K x + A mean over time of x), K being 3 x 3, A 3 x 1 and W nearly 0 before training.

    Args:
        channels: of a patch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 3, padding=1)
        self.always = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.out = nearly_zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, patches: Tensor) -> Tensor:
        """Map patches (N, D, I, J), J of them over time, to patches of the same shape."""
        always = self.always(patches.mean(dim=-1, keepdim=True))
        changed: Tensor = patches + self.out(functional.relu(self.near(patches) + always))
        return changed


class MaskNet(SegmentedRestorer):
    """Lay a complex mask on the spectrum of every segment of a signal, channel by channel; untrained, it changes nothing.

    The defaults have 1,221,540 parameters at any rate, and take 1.22 billion multiplications for a second at 16 kHz; without a
    second stage, gain_channels=0, 1,216,434 and 1.06 billion. At 44.1 kHz both stages take 3.35 billion where all bins are told
    apart, and 1.73 where those below 8 kHz are.

    Args:
        sample_rate: in Hz.
        channels: of a patch.
        blocks: that let patches know of each other.
        fine_channels: of every bin, from its patch and its own neighbors.
        hidden_channels: between these and the mask.
        fft_samples: of the Hann window, a multiple of 16; None: 0.256 s.
        hop_samples: from frame to frame, at most half a window; None: a quarter of one.
        gain_channels: of every bin in the second stage; 0 for none.
        gain_fft_samples: of the second stage's Hann window; None: 0.032 s.
        gain_hop_samples: from frame to frame of it, at most half a window; None: a quarter of one.
        detailed_hz: up to which at least every bin is a row; None: all are.

    Raises:
        SettingError: if a count is none, or a spectrum does not divide into patches or frames.
    """

    level_free = True
    window: Tensor

    def __init__(
        self,
        sample_rate: int,
        channels: int = 128,
        blocks: int = 5,
        fine_channels: int = 8,
        hidden_channels: int = 16,
        fft_samples: int | None = None,
        hop_samples: int | None = None,
        gain_channels: int = 16,
        gain_fft_samples: int | None = None,
        gain_hop_samples: int | None = None,
        detailed_hz: float | None = None,
    ) -> None:
        check_count("@blocks", blocks, 0)
        check_count("@gain_channels", gain_channels, 0)
        for name, count in {"channels": channels, "fine_channels": fine_channels, "hidden_channels": hidden_channels}.items():
            check_count(f"@{name}", count)
        fft_samples, hop_samples = _frames("", fft_samples, hop_samples, 2 * PATCH_BINS, FRAME_SECONDS * sample_rate, 128)
        gain = _frames("gain_", gain_fft_samples, gain_hop_samples, 2, GAIN_FRAME_SECONDS * sample_rate, 32)
        super().__init__(segments_of(sample_rate, PATCH_FRAMES * hop_samples))
        self.hop_samples = hop_samples
        self.onsets = Onsets(sample_rate)
        self.alone = bins_alone(fft_samples, sample_rate, detailed_hz)
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        kernel, stride = (2 * PATCH_BINS, 2 * PATCH_FRAMES), (PATCH_BINS, PATCH_FRAMES)
        self.patches = nn.Conv2d(FEATURES, channels, kernel, stride, (PATCH_BINS // 2, PATCH_FRAMES // 2))
        self.blocks = nn.Sequential(*(ContextBlock(channels) for _ in range(blocks)))
        self.spread = nn.Conv2d(channels, fine_channels * PATCH_BINS * PATCH_FRAMES, 1)
        self.fine = nn.Conv2d(FEATURES, fine_channels, 3, padding=1)
        self.joint = nn.Conv2d(fine_channels, hidden_channels, 3, padding=1)
        self.mask = zeroed(nn.Conv2d(hidden_channels, 2, 1))
        side_by_side(self)
        self.gain_stage = GainStage(gain_channels, *gain) if gain_channels else None

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """What works on patches, without the spectra around it, which are complex."""
        return (self.blocks,)

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        signal = segment.reshape(-1, segment.shape[-1]).float()  # (N, T), N = B * C
        level = level_of(signal).clamp_min(torch.finfo(torch.float32).tiny)
        given = signal / level
        found = self.find(given) if self.training else self.find_with_care(given)
        return segment + (level * found).reshape(segment.shape)

    def find_with_care(self, given: Tensor) -> Tensor:
        """Find what is to be added as `find` does, nowhere more than there is, and before a sudden sound as if it did not come.

        Args:
            given: (N, T), at level 1.

        Returns:
            (N, T).
        """
        found = bounded(self.find(given), given)
        onsets = self.onsets.find(given)
        sudden = onsets.any(dim=-1)
        if sudden.any():
            calm, led_up = self.onsets.without(given[sudden], onsets[sudden])
            found[sudden] = torch.lerp(found[sudden], bounded(self.find(calm), calm), led_up)
        return found

    def find(self, given: Tensor) -> Tensor:
        """Find what is to be added to signals (N, T) at level 1: (N, T)."""
        with torch.autocast(given.device.type, enabled=False):
            spectrum = self.analyze(given)
            features = mask_features(spectrum, self.hop_samples, self.alone)
        mask = of_bins(self.change(features), self.alone).float()
        with torch.autocast(given.device.type, enabled=False):
            found = self.synthesize(mask, spectrum)[:, : given.shape[-1]]
        return found if self.gain_stage is None else found + self.gain_stage(given, given + found)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (N, F, L) of signals (N, T)."""
        return stft.analyze(self.filled(signal), self.window, self.hop_samples, edges="bare")

    def filled(self, signal: Tensor) -> Tensor:
        """Return signals (N, T) with half a window around them, filled up to whole patches, by their mirror image."""
        half = len(self.window) // 2
        lacking = -(signal.shape[-1] + self.hop_samples) % (PATCH_FRAMES * self.hop_samples)
        return stft.mirrored(signal, half, lacking + half)

    def synthesize(self, change: Tensor, spectrum: Tensor) -> Tensor:
        """Return the signals (N, T') that masks (N, 2, F - 1, L), without the Nyquist bin's, take from spectra (N, F, L)."""
        mask = functional.pad(torch.complex(change[:, 0], change[:, 1]), (0, 0, 0, 1))
        return stft.synthesize(mask * spectrum, self.window, self.hop_samples, (spectrum.shape[-1] - 1) * self.hop_samples)

    def change(self, features: Tensor) -> Tensor:
        """Return the real and imaginary parts (N, 2, R, L) of M, of features (N, 7, R, L)."""
        patches = functional.relu(self.blocks(self.patches(features)))
        fine = functional.relu(shuffle(self.spread(patches)) + self.fine(features))
        mask: Tensor = self.mask(functional.relu(self.joint(fine)))
        return mask


def shuffle(patches: Tensor) -> Tensor:
    """Lay patches out over the bins and frames from one to the next.

    Args:
        patches: (N, D * 32, I, J), in the order channel, bin, frame.

    Returns:
        (N, D, 8 I, 4 J).
    """
    apart: Tensor = patches.unflatten(1, (-1, PATCH_BINS, PATCH_FRAMES))  # (N, D, 8, 4, I, J)
    return apart.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)


def bins_alone(fft_samples: int, sample_rate: int, detailed_hz: float | None) -> int:
    """Return how many bins are rows, those below a frequency at least, so that all patches are whole.

    >>> bins_alone(11264, 44100, 8000.0), bins_alone(4096, 16000, 8000.0), bins_alone(11264, 44100, None)
    (2048, 2048, 5632)
    """
    bins, patch = fft_samples // 2, GROUPED_BINS * PATCH_BINS
    wanted = bins if detailed_hz is None else math.ceil(detailed_hz / sample_rate * fft_samples)
    return bins - max(0, bins - max(wanted, PATCH_BINS)) // patch * patch


def _frames(of: str, fft_samples: int | None, hop_samples: int | None, divisor: int, usual: float, step: int) -> tuple[int, int]:
    """Return length and hop of frames, which where they are None follow from the usual length."""
    fft_samples = max(1, round(usual / step)) * step if fft_samples is None else fft_samples
    hop_samples = fft_samples // 4 if hop_samples is None else hop_samples
    check_count(f"@{of}hop_samples", hop_samples)
    if type(fft_samples) is not int or fft_samples < 1 or fft_samples % divisor or hop_samples > fft_samples // 2:
        allowed = f"must be a multiple of {divisor}, and @{of}hop_samples={hop_samples} at most half of it"
        raise SettingError(f"@{of}fft_samples={fft_samples} {allowed}")
    return fft_samples, hop_samples
