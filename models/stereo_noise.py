"""The noise feature of the akuz.me stereo autoencoder: beside its code, how loud a few bands of noise are to be played.

A code of few channels has no room for high frequencies, and the squared error does not ask for them. Noise with the spectrum of
what is missing sounds more alike than silence. Since noise is uncorrelated with the signal, the squared error draws its gains
towards zero: they are trained by themselves, by a loss of spectra, from a network that has learned the waveform.
"""

import torch
from torch import Tensor, nn

from models.classical.fixed_noise import fixed_noise
from models.layers import stft
from models.layers.counts import check_count
from models.layers.log_frames import mel_shares
from models.layers.starting import zeroed
from models.stereo_autoencoder import CHANNELS, StereoAutoencoder

FFT_SAMPLES, HOP_SAMPLES = 512, 128
NOISE_SAMPLES = 2**18
"""After which the noise repeats, six seconds at 44.1 kHz."""
QUIET_LOG_GAIN = -4.0
"""Of the bands before training, relative to those of the signal: 35 dB less."""
TINY = 1e-12


class StereoNoiseAutoencoder(StereoAutoencoder):
    """Reproduce a stereo signal from a code and from the gains of a few bands of noise.

    A gain is the level of its band in the signal, plus what a matrix makes of the levels of all bands relative to their mean.

    Args:
        sample_rate: in Hz.
        noise_bands: of each channel, as wide as each other on the mel scale.
        code_channels: as of `StereoAutoencoder`, like all that follow.
        hidden_channels: of the layers between.
        stride: samples of a frame of the code.
        layout: what the layers see: left_right or mid_side.
        edges: what they see around the signal: continued, or zeros as published.
        code_step: to whose multiples the code is rounded, in training too; None does not.

    Raises:
        SettingError: if one is out of range.
    """

    window: Tensor
    bands: Tensor

    def __init__(
        self,
        sample_rate: int,
        noise_bands: int = 16,
        code_channels: int = 64,
        hidden_channels: int = 32,
        stride: int = 4,
        layout: str = "left_right",
        edges: str = "continued",
        code_step: float | None = None,
    ) -> None:
        super().__init__(code_channels, hidden_channels, stride, layout, edges, code_step)
        check_count("@noise_bands", noise_bands, 2)
        self.register_buffer("window", torch.hann_window(FFT_SAMPLES), persistent=False)
        self.register_buffer("bands", mel_shares(FFT_SAMPLES // 2 + 1, noise_bands, sample_rate), persistent=False)
        self.loudness = zeroed(nn.Linear(noise_bands, noise_bands))
        nn.init.constant_(self.loudness.bias, QUIET_LOG_GAIN)

    @property
    def reach_samples(self) -> int:
        """Of the code, or of the frames that a sample of noise lies in, and of the samples that those see."""
        return max(super().reach_samples, FFT_SAMPLES)

    @property
    def grid_samples(self) -> int:
        """The period of the noise, which is a multiple of every stride."""
        return NOISE_SAMPLES

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the reproduction with its noise.

        Args:
            corrupted: (B, 2, T), any T.

        Returns:
            (B, 2, T).

        Raises:
            ValueError: for another number of channels.
        """
        return super().forward(corrupted) + self.noise(self.log_gains(corrupted), corrupted)

    def log_gains(self, stereo: Tensor) -> Tensor:
        """Return the log gains of the bands, (B, 2, L, K), of a signal (B, 2, T)."""
        power = stft.squared_magnitude(self.spectra(stereo))  # (B, 2, F, L)
        levels = 0.5 * (power.mT @ self.bands.mT / self.bands.sum(dim=1) + TINY).log()
        found: Tensor = levels + self.loudness(levels - levels.mean(dim=-1, keepdim=True))
        return found

    def noise(self, log_gains: Tensor, like: Tensor) -> Tensor:
        """Return noise (B, 2, T), like a signal, whose bands are as loud as log gains (B, 2, L, K) say."""
        noise = fixed_noise(like, NOISE_SAMPLES).to(like)[None]
        spectrum = self.spectra(noise) / self.window.square().sum().sqrt()
        played = spectrum * (log_gains @ self.bands).mT.exp()
        signal = stft.synthesize(played.flatten(0, 1), self.window, HOP_SAMPLES, like.shape[-1])
        return signal.reshape(like.shape)

    def spectra(self, signal: Tensor) -> Tensor:
        """Return the spectra (B, 2, F, L) of a signal (B, 2, T)."""
        with torch.autocast(signal.device.type, enabled=False):
            found = stft.analyze(signal.float().flatten(0, 1), self.window, HOP_SAMPLES, edges="silent")
        spectra: Tensor = found.unflatten(0, (-1, CHANNELS))
        return spectra
