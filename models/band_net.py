"""A lost upper band, filled by a network that hears a log spectrum and says how loud to play what four instruments offer.

The spectrum of the restored signal is Y = X e^a + A sum over k of g_k e^(b_k) E_k: a and b_k come from the network, g_k are
gates, 0 before training. A is the envelope of the given band, as it goes on by a power law, so that the network need only say
where that is wrong. X is of the signal, or where an interpolation left images of it above the band, of its samples before
that: a sinc through them takes out the images, and gives back what the interpolation took from the band. E_1 is noise with even
spectra, E_2 the rectified signal, whose harmonics go on above the band, E_3 and E_4 the given band, moved up by once and twice
its width; each is divided by its own smoothed magnitude. Whatever that comes to, nothing up to the edge of X's band is changed.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classical.bandwidth import occupied_bandwidth_hz
from models.classical.envelope import extrapolated
from models.classical.frames import frame_samples
from models.classical.interpolation import Sinc
from models.classical.low_rate import imaged_rates_hz, rates_that_hold
from models.layers import stft
from models.layers.convnext import ConvNeXtBlock
from models.layers.counts import check_count, check_odd
from models.layers.even_noise import even_noise
from models.layers.excitations import SHIFT_BINS, above, shifted_up, whitened
from models.layers.setting_error import SettingError
from models.layers.starting import zeroed
from models.restorer import SegmentedRestorer, segments_of
from models.streaming.chunking import to_grid

FRAME_SECONDS = 0.064
NOISE_SECONDS = 4.0
"""After which the noise repeats, too long for anyone to hear; segments start on multiples of it."""
EXCITATIONS = 4
OUTPUTS = EXCITATIONS + 1  # of a bin: a and b_k
LEVEL_FRAMES = 33  # half a second: what was quiet for so long is heard like what is loud
LEAST_POWER = 1e-7
"""Of a bin, relative to the level of all: -70 dB; nothing is told apart below."""
QUIETEST_POWER = 1e-10
"""Of a bin, relative to the level of all, below which a band is not heard to go on."""
LARGEST_LOG_GAIN = 6.0
GATE_GAIN = 20.0
"""By which gates open faster than weights change."""
TINY = 1e-30


class BandNet(SegmentedRestorer):
    """Fill the lost upper band of every segment of a signal, channel by channel; untrained, it takes images out at most.

    The defaults have 2,134,345 parameters at 16 kHz and take 133 million multiplications for a second. Frames last about 64 ms at
    every rate, a power of two of samples, and are four hops long.

    Args:
        sample_rate: in Hz.
        cutoff_hz: up to which the signal is left as it is; None finds for each example where its spectrum falls off a cliff, or
            takes out the images that an interpolation left, and leaves alone what has neither.
        channels: of a frame.
        blocks: that let frames know of each other.
        kernel: frames that a block spans, odd.
        expansion: width of a block's inner layer, in channels.

    Raises:
        SettingError: if a count is none, the kernel is even, or the cut-off is not between 0 and half the sample rate.
    """

    level_free = True
    window: Tensor

    def __init__(
        self,
        sample_rate: int,
        cutoff_hz: float | None = None,
        channels: int = 192,
        blocks: int = 6,
        kernel: int = 7,
        expansion: int = 3,
    ) -> None:
        check_count("@blocks", blocks, 0)
        for name, count in {"channels": channels, "expansion": expansion}.items():
            check_count(f"@{name}", count)
        check_odd("@kernel", kernel)
        _check_cutoff(sample_rate, cutoff_hz)
        fft_samples = frame_samples(FRAME_SECONDS, sample_rate)
        super().__init__(segments_of(sample_rate, to_grid(NOISE_SECONDS * sample_rate, fft_samples // 4)))
        self.sample_rate = sample_rate
        self.cutoff_hz = cutoff_hz
        self.grid = Sinc(sample_rate)
        self.hop_samples = fft_samples // 4
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        bins = fft_samples // 2 + 1
        self.listen = nn.Conv1d(bins, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ConvNeXtBlock(channels, kernel, expansion) for _ in range(blocks)))
        self.norm = nn.LayerNorm(channels)
        self.say = zeroed(nn.Linear(channels, OUTPUTS * bins))
        self.gates = nn.Parameter(torch.zeros(EXCITATIONS, 1))

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """What works on frames, without the spectra around it, which are complex."""
        return (self.blocks,)

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        given, edges_hz = self.band_of(segment)
        signal = given.reshape(-1, segment.shape[-1]).float()  # (N, T), N = B * C
        edge_hz = edges_hz.to(signal.device).repeat_interleave(segment.shape[1])  # (N,)
        edge_bin = edge_hz * (len(self.window) / self.sample_rate)
        with torch.autocast(signal.device.type, enabled=False):
            spectrum = self.analyze(signal)
            power = level_power(spectrum)
            heard = log_spectrum(spectrum, power)
        said = self.estimate(heard).float()
        with torch.autocast(signal.device.type, enabled=False):
            loudness = expected(spectrum, power, edge_bin)
            played = self.play(said, self.excitations(given.float(), spectrum, power, edge_bin))
            change = spectrum * torch.expm1(said[:, 0].clamp(max=LARGEST_LOG_GAIN)) + loudness * played
            found = stft.synthesize(change, self.window, self.hop_samples, signal.shape[-1])
            fade_hz = SHIFT_BINS * self.sample_rate / len(self.window)
            found = above(found, edge_hz, fade_hz, self.sample_rate, len(self.window))
        return given + found.reshape(segment.shape)

    def band_of(self, segment: Tensor) -> tuple[Tensor, Tensor]:
        """Return a segment (B, C, T) without images, and up to where each example is left alone, (B,) in Hz, on the CPU."""
        if self.cutoff_hz is not None:
            return segment, torch.full(segment.shape[:1], float(self.cutoff_hz))
        imaged = imaged_rates_hz(segment.detach(), self.sample_rate)
        given = self.grid.through_grid(segment, imaged)
        bandwidths_hz = occupied_bandwidth_hz(given, self.sample_rate)
        nyquist_hz = 0.5 * torch.tensor([imaged, rates_that_hold(bandwidths_hz, self.sample_rate)]).amin(dim=0)
        return given, bandwidths_hz.minimum(nyquist_hz)

    def estimate(self, heard: Tensor) -> Tensor:
        """Return a and b_1 to b_4, (N, 5, F, L), of log spectra (N, F, L)."""
        frames = self.blocks(self.listen(heard).mT)  # (N, L, D)
        said: Tensor = self.say(self.norm(frames)).unflatten(-1, (OUTPUTS, -1))  # (N, L, 5, F)
        return said.permute(0, 2, 3, 1)

    def excitations(self, segment: Tensor, spectrum: Tensor, power: Tensor, edge_bin: Tensor) -> Tensor:
        """Return E_k, (N, 4, F, L).

        Args:
            segment: (B, C, T), N = B * C.
            spectrum: of it, (N, F, L).
            power: of all bins of a frame, (N, 1, L).
            edge_bin: where the given band ends, (N,).
        """
        noise = self.analyze(self.noise_for(segment).flatten(0, 1))
        rectified = self.analyze(segment.flatten(0, 1).abs())
        moved = [shifted_up(spectrum, edge_bin, times) for times in (1, 2)]
        offered = torch.stack([noise * power.sqrt(), rectified, *moved], dim=1)
        return whitened(offered, (LEAST_POWER * power + TINY)[:, None])

    def noise_for(self, segment: Tensor) -> Tensor:
        """Return the noise (B, C, T) for a segment (B, C, T), the same for all examples.

        But in training each has another stretch of it, drawn as dropout is, or weights would learn one by heart.
        """
        batch, channels, samples = segment.shape
        period, frame = self.segments.grid_samples, len(self.window)
        noise = even_noise(channels, period, (frame // 4, frame // 2, frame, 2 * frame)).to(segment.device)
        starts = torch.randint(period, (batch,)) if self.training else torch.zeros(batch, dtype=torch.long)
        place = torch.arange(samples, device=segment.device)
        return torch.stack([noise[:, (start + place) % period] for start in starts.tolist()])

    def play(self, said: Tensor, excitations: Tensor) -> Tensor:
        """Return what is added at level 1, (N, F, L), of outputs (N, 5, F, L) and excitations (N, 4, F, L)."""
        loudness = said[:, 1:].clamp(max=LARGEST_LOG_GAIN).exp() * (GATE_GAIN * self.gates[..., None])
        return (loudness * excitations).sum(dim=1)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (N, F, L) of signals (N, T)."""
        return stft.analyze(signal, self.window, self.hop_samples, edges="silent")


def level_power(spectrum: Tensor) -> Tensor:
    """Return the power of spectra (N, F, L) around every frame, a mean over all bins and up to 33 frames, (N, 1, L)."""
    power = stft.squared_magnitude(spectrum).mean(dim=1, keepdim=True)
    return functional.avg_pool1d(power, LEVEL_FRAMES, 1, LEVEL_FRAMES // 2, count_include_pad=False)


def expected(spectrum: Tensor, power: Tensor, edge_bin: Tensor) -> Tensor:
    """Return the magnitudes (N, F, L) by which the given band goes on.

    Args:
        spectrum: (N, F, L).
        power: of all bins around a frame, (N, 1, L).
        edge_bin: where the given band ends, (N,).
    """
    relative = stft.squared_magnitude(spectrum) / (power + TINY)
    return (power * extrapolated(relative, edge_bin, QUIETEST_POWER)).sqrt()


def log_spectrum(spectrum: Tensor, power: Tensor) -> Tensor:
    """Return the log magnitudes of spectra (N, F, L) relative to the power around their frames (N, 1, L), -8.1 at least."""
    relative = (stft.squared_magnitude(spectrum) + LEAST_POWER * power + TINY) / (power + TINY)
    return 0.5 * relative.log()


def _check_cutoff(sample_rate: int, cutoff_hz: float | None) -> None:
    if cutoff_hz is not None and not 0 < cutoff_hz < sample_rate / 2:
        allowed = f"between 0 and half of @sample_rate={sample_rate}, or null to find it for each example"
        raise SettingError(f"@cutoff_hz={cutoff_hz} must be {allowed}")
