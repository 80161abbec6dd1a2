"""The noise feature of the stereo autoencoder: bands, gains that follow the level, and a network that it leaves as it is."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers.setting_error import SettingError
from models.stereo_autoencoder import StereoAutoencoder
from models.stereo_noise import StereoNoiseAutoencoder

RATE_HZ = 16000


def network(bands: int = 6, bias: float = 0.0) -> StereoNoiseAutoencoder:
    net = StereoNoiseAutoencoder(RATE_HZ, bands, code_channels=4, hidden_channels=4)
    torch.nn.init.constant_(net.loudness.bias, bias)
    return net.eval()


def white(samples: int = 32000, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed))


def band_powers(signal: Tensor) -> np.ndarray:
    """Return the mean power of a signal (1, 2, T) in eighths of the band, (2, 8)."""
    powers = np.abs(np.fft.rfft(signal[0].numpy())) ** 2
    return powers[:, 1:16001].reshape(2, 8, -1).mean(axis=-1)


def test_size_is_that_of_the_autoencoder_and_of_one_matrix() -> None:
    assert sum(parameter.numel() for parameter in StereoNoiseAutoencoder(44100).parameters()) == 17_026 + 16 * 17


def test_bands_share_every_bin_and_lie_on_the_mel_scale() -> None:
    hats = network(bands=5).bands
    torch.testing.assert_close(hats.sum(dim=0), torch.ones(257))
    middles_hz = 700 * (10 ** (np.arange(5) * 2595 * np.log10(1 + 8000 / 700) / 4 / 2595) - 1)
    assert hats.argmax(dim=1).tolist() == pytest.approx(middles_hz / 8000 * 256, abs=0.5)


@pytest.mark.parametrize("shape", ["white", "rising"])
def test_noise_at_the_level_of_the_bands_has_the_powers_of_the_signal(shape: str) -> None:
    signal = white(seed=1) if shape == "white" else white(seed=1).cumsum(dim=-1).diff(n=2, append=torch.zeros(1, 2, 2))
    net = network(bands=24)
    with torch.no_grad():
        noise = net.noise(net.log_gains(signal), signal)
    difference_db = 10 * np.log10(band_powers(noise) / band_powers(signal))
    assert np.abs(difference_db).max() < 1.0
    likeness = float((noise * signal).sum() / (noise.norm() * signal.norm()))
    assert abs(likeness) < 0.05


def test_noise_knows_no_level_and_is_nothing_in_silence() -> None:
    net, signal = network(), white()
    with torch.no_grad():
        loud, quiet = (net.noise(net.log_gains(level * signal), signal) for level in (1.0, 0.01))
        silent = net.noise(net.log_gains(torch.zeros_like(signal)), signal)
    torch.testing.assert_close(quiet, 0.01 * loud, atol=1e-6, rtol=0.02)
    assert silent.abs().max() < 1e-5


def test_what_the_autoencoder_learned_is_what_the_noise_is_added_to() -> None:
    net, plain, signal = network(), StereoAutoencoder(4, 4), white(3000)
    plain.load_state_dict({name: value for name, value in net.state_dict().items() if "loudness" not in name})
    with torch.no_grad():
        added = net(signal) - plain(signal)
        torch.testing.assert_close(added, net.noise(net.log_gains(signal), signal))
    assert added.norm() > 0.5 * signal.norm()


def test_a_single_band_is_refused() -> None:
    with pytest.raises(SettingError, match="noise_bands=1"):
        network(bands=1)
