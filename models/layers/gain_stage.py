"""A second look at what has been restored, in frames so short that it can close before a sudden sound."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft
from models.layers.mask_features import LEAST_POWER, log_floor
from models.layers.onsets import joined
from models.layers.starting import side_by_side, zeroed

FEATURES = 5
TAPS = (3, 5)
"""Bins and frames of a convolution."""
APART = 6
"""Frames from tap to tap of the second convolution, so that both together look 112 ms ahead: nearly half a long frame."""
FLOOR_FRAMES = 256
"""That a floor is taken over: about two seconds of short frames."""
RATIO_LIMIT = 4.0
"""Of the natural logarithm of restored over given magnitude, either way: 35 dB."""
DOUBLINGS = 9
"""Of windows that energies are compared in: 512 samples."""
WHOLE, NOTHING = 1.1, 1.5
"""Up to this much of the given root mean square a change stays whole; from that much on nothing is left of it."""


class GainStage(nn.Module):
    """Find what is to be added to a restored signal y of a given one x: istft(G Y + H X), with gains G = H = 0 before training.

    Every bin of a short-time spectrum is seen as five features: half the natural log magnitude of X above the floor of the mean
    of all bins; half of that of Y over X; cosine and sine of the phase of Y over X; and the frequency from -1 to 1.

    Args:
        channels: of a bin.
        fft_samples: of the Hann window.
        hop_samples: from frame to frame, at most half a window.
    """

    window: Tensor

    def __init__(self, channels: int, fft_samples: int, hop_samples: int) -> None:
        super().__init__()
        self.hop_samples = hop_samples
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        bins, frames = TAPS[0] // 2, TAPS[1] // 2
        self.first = nn.Conv2d(FEATURES, channels, TAPS, padding=(bins, frames))
        self.second = nn.Conv2d(channels, channels, TAPS, padding=(bins, APART * frames), dilation=(1, APART))
        self.gains = zeroed(nn.Conv2d(channels, 2, 1))
        side_by_side(self)

    def forward(self, given: Tensor, restored: Tensor) -> Tensor:
        """Map x and y, (N, T) each, at level 1, to (N, T)."""
        samples = given.shape[-1]
        lacking = -samples % self.hop_samples
        with torch.autocast(given.device.type, enabled=False):
            x, y = (
                stft.analyze(functional.pad(signal, (0, lacking)), self.window, self.hop_samples, edges="silent")
                for signal in (given, restored)
            )
            features = gain_features(x, y)
        gains = self.judge(features).float()
        with torch.autocast(given.device.type, enabled=False):
            change = gains[:, 0] * y + gains[:, 1] * x
            return stft.synthesize(change, self.window, self.hop_samples, samples + lacking)[:, :samples]

    def judge(self, features: Tensor) -> Tensor:
        """Return the gains G and H (N, 2, F, L) of features (N, 5, F, L)."""
        gains: Tensor = self.gains(functional.relu(self.second(functional.relu(self.first(features)))))
        return gains


def gain_features(given: Tensor, restored: Tensor) -> Tensor:
    """Return the features (N, 5, F, L) of spectra X and Y, (N, F, L), complex, of a signal at level 1 and what became of it."""
    height, restored_height = (0.5 * (stft.squared_magnitude(each) + LEAST_POWER).log() for each in (given, restored))
    floor = log_floor(height.mean(dim=1, keepdim=True), FLOOR_FRAMES)
    ratio = (restored_height - height).clamp(-RATIO_LIMIT, RATIO_LIMIT)
    turned = restored * given.conj()
    turned = turned / (turned.abs() + LEAST_POWER)
    frequency = torch.linspace(-1, 1, given.shape[1], device=given.device)[:, None].expand_as(height)
    features = torch.stack([0.5 * (height - floor), 0.5 * ratio, turned.real, turned.imag, frequency], dim=-1)
    return features.movedim(-1, 1)


def bounded(change: Tensor, given: Tensor) -> Tensor:
    """Take back a change of a signal where it is larger than the signal: what has leaked out of something loud.

    Who takes noise away changes a signal by less than there is of it, over the 32 ms before as over those after a sample.

    Args:
        change: (N, T).
        given: (N, T), the signal, at level 1.

    Returns:
        (N, T).
    """
    samples = given.shape[-1]
    with torch.no_grad():
        ratio = (energies(change) / (energies(given) + LEAST_POWER)).sqrt()  # (N, T + 511)
        larger = torch.maximum(ratio[:, :samples], ratio[:, -samples:])
        left = ((NOTHING - larger) / (NOTHING - WHOLE)).clamp(0, 1)
    return left * change


def energies(signal: Tensor) -> Tensor:
    """Return the energies of all 512 samples in a row: from those that end with the first one to those that begin with the last.

    Args:
        signal: (N, T), mirrored at its ends.

    Returns:
        (N, T + 511).
    """
    return joined(stft.mirrored(signal, 2**DOUBLINGS - 1, 2**DOUBLINGS - 1).square(), DOUBLINGS, torch.add)
