"""Round audio in time (sample and hold) and in amplitude (uniform and mu-law bit depths).

The causal hold is the damage of ColinShaw/python-neural-network-audio-reconstruction ("inverse quantization", factor 10); the
bit depths are what old converters, samplers and telephone lines do.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from datamodules import draws
from datamodules.corruptions import Corruption
from datamodules.corruptions.settings import known_names, probability, whole_range
from datamodules.draws import Range

MU = 255.0
"""Compression of the mu-law in North America and Japan (ITU-T G.711)."""


def hold(audio: Tensor, factor: Tensor) -> Tensor:
    """Keep every factor-th sample and show it around its own place: y[f n + m] = x[f n + (f - 1) // 2] for m = 0 .. f - 1.

    Nothing is late for an odd f; an even one has no middle and leaves half a sample.

    Args:
        audio: (B, C, T).
        factor: whole numbers from 1, (B,).

    Returns:
        (B, C, T).

    Example:
        >>> hold(torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), torch.tensor([3])).flatten().tolist()
        [2.0, 2.0, 2.0, 5.0, 5.0]
    """
    return _shown(audio, factor, (factor - 1) // 2)


def hold_causal(audio: Tensor, factor: Tensor) -> Tensor:
    """Keep every factor-th sample and repeat it, as a real converter does: y[f n + m] = x[f n] for m = 0 .. f - 1.

    This is the damage of the published examples, where y is late by (f - 1) / 2 samples on average.

    Args:
        audio: (B, C, T).
        factor: whole numbers from 1, (B,).

    Returns:
        (B, C, T).

    Example:
        >>> hold_causal(torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), torch.tensor([3])).flatten().tolist()
        [1.0, 1.0, 1.0, 4.0, 4.0]
    """
    return _shown(audio, factor, torch.zeros_like(factor))


def round_uniform(audio: Tensor, bits: Tensor) -> Tensor:
    """Round to the 2^bits levels of a two's complement converter with full scale 1, mid-tread: silence stays silence.

    A full-scale sine keeps an SNR of 6.02 bits + 1.76 dB (Bennett, "Spectra of Quantized Signals", 1948).

    Args:
        audio: (B, C, T); what is beyond full scale is clipped.
        bits: (B,).

    Returns:
        (B, C, T).

    Example:
        >>> round_uniform(torch.tensor([[[0.3, -0.9, 2.0]]]), torch.tensor([3])).flatten().tolist()
        [0.25, -1.0, 0.75]
    """
    levels = torch.exp2(bits.to(audio) - 1)[:, None, None]
    return ((audio * levels).round().maximum(-levels).minimum(levels - 1)) / levels


def round_mu_law(audio: Tensor, bits: Tensor) -> Tensor:
    """Round on the mu-law's logarithmic scale, F(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu), and expand again.

    The scale is divided into 2^bits - 1 levels, mid-tread, so that silence stays silence and the sign does not matter.

    Args:
        audio: (B, C, T); what is beyond full scale is clipped.
        bits: (B,).

    Returns:
        (B, C, T).
    """
    levels = torch.exp2(bits.to(audio) - 1)[:, None, None] - 1
    compressed = torch.log1p(MU * audio.abs().clamp(max=1)) / math.log1p(MU)
    rounded = (compressed * levels).round() / levels
    return torch.expm1(rounded * math.log1p(MU)) / MU * audio.sign()


class Quantize(Corruption):
    """Quantize each example in one way drawn from `modes`."""

    def __init__(
        self,
        modes: Sequence[str] = ("hold", "uniform", "mu_law"),
        hold_factor: Range = (2, 10),
        bits: Range = (4, 10),
        mu_law_bits: Range = (4, 8),
        dithered: float = 0.0,
    ) -> None:
        """Check the ranges.

        Args:
            modes: ways to quantize: `hold` (time), `uniform` and `mu_law` (amplitude), and `hold_causal`, which is late; see
                `hold_causal`.
            hold_factor: how many samples of `hold` and `hold_causal` show one value.
            bits: bit depth of `uniform`.
            mu_law_bits: bit depth of `mu_law`.
            dithered: probability of adding triangular dither, two steps wide, before `uniform` rounds (Lipshitz, Wannamaker and
                Vanderkooy, "Quantization and Dither", 1992): 4.8 dB more noise, but none of it follows the signal.

        Raises:
            ValueError: if a name is unknown or a range is outside of what is possible.
        """
        self._hold_factor = whole_range(hold_factor, "hold_factor", 1, 1_000_000)
        self._bits = whole_range(bits, "bits", 2, 24)
        self._mu_law_bits = whole_range(mu_law_bits, "mu_law_bits", 2, 16)
        self._dithered = probability(dithered, "dithered")
        self._ways: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
            "hold": self._hold,
            "uniform": self._uniform,
            "mu_law": self._mu_law,
            "hold_causal": self._hold_causal,
        }
        self._modes = known_names(modes, "modes", self._ways)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the quantized batch; see `Corruption`."""
        drawn: list[int] = draws.choices(len(self._modes), (clean.shape[0],), generator).tolist()
        quantized = torch.empty_like(clean)
        for index, rows in draws.rows_by_value(drawn).items():
            quantized[rows] = self._ways[self._modes[index]](clean[rows], generator)
        return quantized

    def _hold(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        return hold(audio, self._draw_factor(audio, generator))

    def _hold_causal(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        return hold_causal(audio, self._draw_factor(audio, generator))

    def _draw_factor(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        return draws.integers(*self._hold_factor, (audio.shape[0],), generator).to(audio.device)

    def _mu_law(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        return round_mu_law(audio, draws.integers(*self._mu_law_bits, (audio.shape[0],), generator).to(audio.device))

    def _uniform(self, audio: Tensor, generator: torch.Generator) -> Tensor:
        bits = draws.integers(*self._bits, (audio.shape[0],), generator).to(audio.device)
        if self._dithered == 0:
            return round_uniform(audio, bits)
        chosen = draws.uniform(0, 1, (audio.shape[0], 1, 1), generator) < self._dithered
        triangular = draws.uniform(0, 1, tuple(audio.shape), generator) - draws.uniform(0, 1, tuple(audio.shape), generator)
        step = torch.exp2(1 - bits.to(audio))[:, None, None]
        return round_uniform(audio + (triangular * chosen).to(audio) * step, bits)


def _shown(audio: Tensor, factor: Tensor, place: Tensor) -> Tensor:
    """Fill each block of (B,) samples with the one at a place (B,) in it, or the last one of a block that is cut off before."""
    factor = factor[:, None, None]
    kept = torch.arange(audio.shape[-1], device=audio.device) // factor * factor + place[:, None, None]  # (B, 1, T)
    return audio.gather(-1, kept.clamp_max(audio.shape[-1] - 1).expand_as(audio))
