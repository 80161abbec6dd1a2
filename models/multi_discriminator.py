"""Discriminators of spectra and of periods, several at once: what fine structure a restored band has, is seen by these.

Spectra are judged at several resolutions (UnivNet: Jang et al., arXiv 2106.07889, section 2.2; with real and imaginary parts
EnCodec: Defossez et al., arXiv 2210.13438, section 3.4), samples that lie a period apart by themselves (HiFi-GAN: Kong et al.,
arXiv 2010.05646, section 2.3). Here strides go over frequencies, so that windows of half a second still have places in time;
weights are normalized as there. All judges count the same: the logits of each are averaged to as many places as the coarsest has.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.layers import stft
from models.layers.counts import check_count, check_positive
from models.layers.judging import judged
from models.layers.level import level_of
from models.layers.setting_error import SettingError

LEAK = 0.2
LEAST_POWER = 1e-7
"""Of a bin, relative to the mean of all bins at level 1: -70 dB."""
SEEN = {"magnitude": 1, "complex": 2}
"""What is seen of a spectrum, and how many channels that takes: the log magnitude, or real and imaginary parts."""


class SpectralJudge(nn.Module):
    """Judge the spectra of one resolution, a hop of a quarter of the window apart; strides halve the frequencies three times.

    Args:
        fft_samples: of the Hann window.
        signals: seen side by side.
        channels: of the layers within.
        sees: magnitude or complex.
    """

    window: Tensor

    def __init__(self, fft_samples: int, signals: int, channels: int, sees: str) -> None:
        super().__init__()
        self.sees = sees
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        plan = [(signals * SEEN[sees], (9, 3), 1), *[(channels, (9, 3), 2)] * 3, (channels, (3, 3), 1)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, channels, kernel, (stride, 1), (kernel[0] // 2, 1))) for before, kernel, stride in plan
        )
        self.verdict = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, signals: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map signals (N, S, T) at level 1 to logits (N, 1, F, L) and activations."""
        with torch.autocast(signals.device.type, enabled=False):
            spectra = stft.analyze(signals.flatten(0, 1), self.window, len(self.window) // 4, edges="silent")
            spectra = (spectra / self.window.square().sum().sqrt()).unflatten(0, signals.shape[:2])
            seen = (
                torch.cat([spectra.real, spectra.imag], dim=1)
                if self.sees == "complex"
                else 0.5 * (stft.squared_magnitude(spectra) + LEAST_POWER).log()
            )
        return through(seen, self.layers, self.verdict)


class PeriodJudge(nn.Module):
    """Judge samples that lie a period apart, each phase of it by itself.

    Args:
        period_samples: between them.
        signals: seen side by side.
        channels: of the layers within.
    """

    def __init__(self, period_samples: int, signals: int, channels: int) -> None:
        super().__init__()
        self.period_samples = period_samples
        plan = [(signals, 3), (channels, 3), (channels, 3), (channels, 1)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, channels, (5, 1), (stride, 1), (2, 0))) for before, stride in plan
        )
        self.verdict = weight_norm(nn.Conv2d(channels, 1, (3, 1), padding=(1, 0)))

    def forward(self, signals: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map signals (N, S, T) at level 1 to logits (N, 1, P, L) and activations."""
        lacking = -signals.shape[-1] % self.period_samples
        rows = functional.pad(signals, (0, lacking)).unflatten(-1, (-1, self.period_samples))  # (N, S, T / P, P)
        logits, activations = through(rows, self.layers, self.verdict)
        return logits.mT, activations


class MultiDiscriminator(nn.Module):
    """Judge signals by their spectra and by their periods; the logits are high where a judge takes one for clean.

    Args:
        fft_samples: of the windows of spectra, each of a judge of its own; may be empty.
        periods_samples: each of a judge of its own; may be empty.
        channels: of the layers within a judge.
        sees: what spectral judges see: magnitude (its logarithm) or complex (real and imaginary parts).
        conditional: whether the corrupted signal is seen beside the one to judge.

    Raises:
        SettingError: if there is no judge, or a number is none.
    """

    def __init__(
        self,
        fft_samples: Sequence[int] = (2048, 1024, 512),
        periods_samples: Sequence[int] = (),
        channels: int = 16,
        sees: str = "magnitude",
        conditional: bool = True,
    ) -> None:
        super().__init__()
        check_positive([*fft_samples, *periods_samples], "@fft_samples and @periods_samples together")
        check_count("@channels", channels)
        if any(size % 4 for size in fft_samples) or sees not in SEEN:
            raise SettingError(f"@fft_samples={list(fft_samples)} must be multiples of 4, @sees={sees} {' or '.join(SEEN)}")
        self.conditional = conditional
        spectral = [SpectralJudge(size, 1 + conditional, channels, sees) for size in fft_samples]
        self.judges = nn.ModuleList([*spectral, *(PeriodJudge(period, 1 + conditional, channels) for period in periods_samples)])

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the verdicts and what led to them.

        Args:
            signal: the one to judge (B, C, T), any C and T.
            corrupted: what it was restored from (B, C, T); an unconditional one takes its level only, or the signal's if that is
                higher, as 1.

        Returns:
            Logits (B * C, judges, L), L places of the coarsest judge, and the activations of all judges for feature matching.
        """
        seen = judged(signal, corrupted, 1, self.conditional).float()
        levels = [level_of(each.detach().float().flatten(0, 1)) for each in (signal, corrupted)]  # (N, 1) each
        level = torch.maximum(*levels).clamp_min(torch.finfo(torch.float32).tiny)[:, None]
        found = [judge(seen / level) for judge in self.judges]
        maps = [logits.float().mean(dim=2) for logits, _ in found]  # (N, 1, L) each
        places = min(one.shape[-1] for one in maps)
        logits = torch.cat([functional.adaptive_avg_pool1d(one, places) for one in maps], dim=1)
        return logits, [activation for _, activations in found for activation in activations]


def through(seen: Tensor, layers: nn.ModuleList, verdict: nn.Module) -> tuple[Tensor, list[Tensor]]:
    """Return the logits and the activations of layers, one after the other, of what is seen, (N, D, H, W)."""
    activations = []
    for layer in layers:
        seen = functional.leaky_relu(layer(seen), LEAK)
        activations.append(seen)
    return verdict(seen), activations
