"""Log spectra of frames, bin by bin or by bands of the mel scale, and the way back: gains on the spectrum, whose phase stays.

Each bin belongs to the two bands whose middles are nearest on the mel scale, the more the nearer. The same shares lead from
powers of bins to those of bands, and from gains of bands to those of bins. A spectrum changes as its bands do and keeps what is
finer, so that unchanged bands are an unchanged signal; magnitudes made of bands alone would lose the partials.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft
from models.layers.counts import check_count
from models.layers.setting_error import SettingError

FLOOR_DB = -80.0
"""Of the powers, relative to white noise as loud as the signal; what lies below is rounding, or might be."""
FLOOR = 10 ** (FLOOR_DB / 10)
MIDDLE_DB, SPAN_DB = -30.0, 20.0
"""What is 0 and what is 1 of a feature, so that features are about as large as numbers at which networks start."""
GAIN_DB = (-80.0, 20.0)
"""Least and most; more would let rounding errors be heard."""
DB_PER_NEPER = 20 / torch.log(torch.tensor(10.0)).item()


def mel_shares(bins: int, bands: int, sample_rate: int) -> Tensor:
    """Return the shares of bins in bands, (bands, bins); those of a bin add up to 1.

    >>> mel_shares(5, 2, 8000)[:, [0, -1]]
    tensor([[1., 0.],
            [0., 1.]])

    Args:
        bins: from 0 Hz to half the rate, both included.
        bands: whose middles lie evenly on the mel scale, 2595 log10(1 + f / 700), from 0 Hz to half the rate.
        sample_rate: in Hz.
    """
    mel = 2595 * torch.log10(1 + torch.linspace(0, sample_rate / 2, bins, dtype=torch.float64) / 700)
    place = mel / mel[-1] * (bands - 1)
    return (1 - (place - torch.arange(bands)[:, None]).abs()).clamp_min(0).float()


class LogFrames(nn.Module):
    """Turn signals of level 1 into log powers of frames, and gains into signals.

    Args:
        sample_rate: in Hz.
        fft_samples: of the Hann window, even.
        hop_samples: from frame to frame, at most half a window.
        bands: of the mel scale; None takes every bin.

    Raises:
        SettingError: if a number does not fit the others.
    """

    window: Tensor
    shares: Tensor | None

    def __init__(self, sample_rate: int, fft_samples: int, hop_samples: int, bands: int | None) -> None:
        super().__init__()
        check_count("@hop_samples", hop_samples)
        check_count("@fft_samples", fft_samples, 2 * hop_samples)
        bins = fft_samples // 2 + 1
        if fft_samples % 2:
            raise SettingError(f"@fft_samples={fft_samples} must be even")
        if bands is not None and not 2 <= bands <= bins:
            raise SettingError(f"@bands={bands} must lie between 2 and {bins}, the bins of @fft_samples={fft_samples}")
        self.hop_samples = hop_samples
        self.size = bins if bands is None else bands
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        self.register_buffer("shares", None if bands is None else mel_shares(bins, bands, sample_rate), persistent=False)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (N, F, L) of signals (N, T), whose ends are mirrored."""
        half = len(self.window) // 2
        lacking = -signal.shape[-1] % self.hop_samples
        return stft.analyze(stft.mirrored(signal, half, lacking + half), self.window, self.hop_samples, edges="bare")

    def features(self, spectrum: Tensor) -> Tensor:
        """Return the features (N, D, L), log powers of bands or bins, of spectra (N, F, L) of signals of level 1."""
        power = self.power(spectrum)
        if self.shares is not None:
            power = self.shares @ power
        return (10 * power.clamp_min(FLOOR).log10() - MIDDLE_DB) / SPAN_DB

    def power(self, spectrum: Tensor) -> Tensor:
        """Return the power of every bin, of shape (N, F, L); that of white noise of level 1 is 1."""
        return stft.squared_magnitude(spectrum) / self.window.square().sum()

    def gains(self, spectrum: Tensor, difference: Tensor) -> Tensor:
        """Return the natural logarithms of the gains (N, F, L) by which features change; bins below the floor are not amplified.

        Args:
            spectrum: (N, F, L) of the signal.
            difference: (N, D, L) of its features.
        """
        gain = (difference * SPAN_DB).clamp(*GAIN_DB) / DB_PER_NEPER
        if self.shares is not None:
            gain = self.shares.T @ gain
        return torch.where(self.power(spectrum) > FLOOR, gain, gain.clamp_max(0))

    def synthesize(self, spectrum: Tensor, samples: int) -> Tensor:
        """Return signals (N, T) of spectra (N, F, L) as `analyze` gives them, and of their number of samples T."""
        length = (spectrum.shape[-1] - 1) * self.hop_samples
        return stft.synthesize(spectrum, self.window, self.hop_samples, length)[:, :samples]


def with_context(features: Tensor, frames: int) -> Tensor:
    """Put the frames around each beside it; the first and the last frame go on forever.

    >>> with_context(torch.tensor([[[1.0, 2.0, 3.0]]]), 3)
    tensor([[[1., 1., 2.],
             [1., 2., 3.],
             [2., 3., 3.]]])

    Args:
        features: (N, D, L).
        frames: odd.

    Returns:
        (N, frames D, L), the earliest frame first.
    """
    padded = functional.pad(features, (frames // 2, frames // 2), mode="replicate")
    return padded.unfold(-1, frames, 1).permute(0, 3, 1, 2).flatten(1, 2)


def without_context(patches: Tensor, frames: int) -> Tensor:
    """Return the means of what patches say of each frame: of `with_context` what went in, but for the ends.

    Args:
        patches: (N, frames D, L), the earliest frame first.
        frames: odd.

    Returns:
        (N, D, L).
    """
    said = patches.unflatten(1, (frames, -1)).unbind(dim=1)  # (N, D, L) each
    half, length = frames // 2, patches.shape[-1]
    laid = [functional.pad(each, (at, frames - 1 - at))[..., half : half + length] for at, each in enumerate(said)]
    one = torch.ones_like(patches[:1, :1])
    counted = [functional.pad(one, (at, frames - 1 - at))[..., half : half + length] for at in range(frames)]
    return torch.stack(laid).sum(dim=0) / torch.stack(counted).sum(dim=0)
