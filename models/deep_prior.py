"""A network that is fitted to one noisy clip, and tells noise from sound by how hard it finds each.

Michelashvili and Wolf, "Audio denoising with deep network priors" (arXiv 1904.07612): from noise as its input, a U-Net learns
the clip, sound first. Where the spectrum of its output goes on changing, there is what it cannot learn. With the short-time
spectrum Y_i of the output after step i,

    A = sum over i of | |Y_i| - |Y_(i-1)| | / |Y_i|,    m = 1 - (A - a) / (b - a),

A clipped to a and b, between which lie all but a tenth of its values at either end. The gain of a bin of the clip's spectrum X is
m^2; as published, (1 - m) |X| is taken for its noise, and the gain is that of MMSE-LSA for the posterior ratio 1 / (1 - m)^2.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from models.classical.frames import frame_samples
from models.classical.mmse import MmseLsa
from models.layers import stft
from models.layers.counts import check_count
from models.layers.setting_error import SettingError
from models.layers.wave_unet import WaveUNet
from models.restorer import SegmentedRestorer, segments_of

FRAME_SECONDS = 0.032
PEAK = 0.5
"""Of what is fitted: in reach of a hyperbolic tangent."""
QUIETEST = 1e-3
"""Least peak that is raised to it; what is quieter is fitted as it is beside that."""
BURN_IN = 48
"""Steps whose changes are left out, or half of all, if those are fewer."""
TAIL = 0.1
"""Share of the changes that are clipped at either end."""
FLOOR = 1e-3
"""Least mask, and least distance of one from 1."""
CHECKED = 50
"""Steps after which masks are compared, to stop early."""
SILENT = 1e-12


class DeepPrior(SegmentedRestorer):
    """Fit a network to each segment of a long signal, each channel by itself, and lay a mask on its spectrum.

    Every fit starts from the same weights and the same noise.

    Args:
        sample_rate: rate of the signals in Hz.
        levels: of the network.
        channels: of its first level.
        steps: of a fit at most; from fewer than 2, no change is known, and a signal is returned as it is.
        lr: of Adam.
        settled: a fit ends before, once 50 steps change the mask by no more than this (root of the mean square); 0: never.
        seed: of the first weights and of the noise.

    Raises:
        ValueError: if the rate allows no frame.
        SettingError: if a setting is out of range.
    """

    identity_at_start = False
    window: Tensor

    def __init__(
        self,
        sample_rate: int,
        levels: int = 6,
        channels: int = 60,
        steps: int = 5000,
        lr: float = 5e-4,
        settled: float = 0.0,
        seed: int = 0,
    ) -> None:
        n_fft = frame_samples(FRAME_SECONDS, sample_rate)
        super().__init__(segments_of(sample_rate, n_fft // 4))
        check_count("@steps", steps, lowest=0)
        for name, value in (("lr", lr), ("settled", settled)):
            if value < 0:
                raise SettingError(f"@{name}={value} must be at least 0")
        self.steps, self.lr, self.settled, self.seed = steps, lr, settled, seed
        self.hop_samples = n_fft // 4
        self.network = WaveUNet(levels, channels, torch.Generator().manual_seed(seed))
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Fit the network and take away what it cannot learn.

        Args:
            corrupted: noisy signal (B, C, T).

        Returns:
            Signal (B, C, T).
        """
        if self.steps < 2:
            return corrupted.clone()
        flat = corrupted.detach().float().flatten(0, 1)
        masks = torch.cat([self.mask(signal[None]) for signal in flat])  # (B * C, bins, frames)
        spectra = self.gains(masks) * stft.analyze(flat, self.window, self.hop_samples, edges="silent")
        restored = stft.synthesize(spectra, self.window, self.hop_samples, flat.shape[-1])
        return restored.reshape(corrupted.shape).to(corrupted.dtype)

    def gains(self, masks: Tensor) -> Tensor:
        """Return the gains for masks, both (N, bins, frames)."""
        return masks.square()

    def mask(self, signal: Tensor) -> Tensor:
        """Return the mask of a signal (1, T), (1, bins, frames), from 0.001 to 1.

        The fit ends early where masks settle, which is looked at every 50 steps.
        """
        changes, before = torch.zeros(()), None
        with torch.inference_mode(False), torch.enable_grad():
            for step, change in enumerate(self._changes(signal.clone()), start=1):
                if step > min(BURN_IN, self.steps // 2):
                    changes = changes.to(change) + change
                if self.settled and step % CHECKED == 0 and step > 2 * BURN_IN:
                    mask = mask_of(changes)
                    if before is not None and (mask - before).square().mean() <= self.settled**2:
                        break
                    before = mask
        return mask_of(changes)

    def _changes(self, signal: Tensor) -> Iterator[Tensor]:
        """Yield, from the second step on, how much the spectrum of the network's output has changed, (1, bins, frames)."""
        samples = signal.shape[-1]
        target = signal * PEAK / signal.abs().amax().clamp(min=QUIETEST)
        weights = {name: value.detach().clone().requires_grad_() for name, value in self.network.named_parameters()}
        optimizer = torch.optim.Adam(weights.values(), lr=self.lr)
        noise, before = self._noise(samples).to(signal), None
        for _ in range(self.steps):
            output = functional_call(self.network, weights, (noise,))[0, :, :samples]
            with torch.no_grad():
                magnitude = stft.analyze(output, self.window, self.hop_samples, edges="silent").abs()
                if before is not None:
                    yield (magnitude - before).abs() / magnitude.clamp(min=SILENT)
                before = magnitude
            optimizer.zero_grad()
            functional.mse_loss(output, target).backward()
            optimizer.step()

    def _noise(self, samples: int) -> Tensor:
        """Return what the network is given, (1, 1, T) of a length that it takes, uniform from -1 to 1."""
        length = max(samples + -samples % self.network.multiple, self.network.shortest)
        return torch.rand(1, 1, length, generator=torch.Generator().manual_seed(self.seed)) * 2 - 1


class DeepPriorPublished(DeepPrior):
    """The same with the published gains, which leave more of the noise. The arguments are those of `DeepPrior`."""

    def __init__(
        self,
        sample_rate: int,
        levels: int = 6,
        channels: int = 60,
        steps: int = 5000,
        lr: float = 5e-4,
        settled: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(sample_rate, levels, channels, steps, lr, settled, seed)
        self.rule = MmseLsa(sample_rate)

    def gains(self, masks: Tensor) -> Tensor:
        """Return the gains of MMSE-LSA for masks, both (N, bins, frames)."""
        posterior = (1 - masks).clamp(min=FLOOR) ** -2
        return self.rule.gains(posterior.mT, posterior.new_ones(len(masks), 1, masks.shape[1])).mT


def mask_of(changes: Tensor) -> Tensor:
    """Return a mask that is 1 where a spectrum has changed least, and 0.001 where it has changed most.

    Args:
        changes: sums over the steps, (1, bins, frames).

    Returns:
        (1, bins, frames).

    >>> mask_of(torch.arange(1.0, 12.0).reshape(1, 1, 11)).flatten().tolist()[::5]
    [1.0, 0.5, 0.0010000000474974513]
    """
    flat = changes.flatten()
    place = round(TAIL * (len(flat) - 1))
    low, high = (flat.kthvalue(1 + number).values for number in (place, len(flat) - 1 - place))
    normalized = (changes.clamp(low, high) - low) / (high - low).clamp(min=SILENT)
    return (1 - normalized).clamp(min=FLOOR)
