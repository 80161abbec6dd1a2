"""The recurrent denoiser as a restorer of partly restored signals, applied again and again.

With D(s, p) = s + (1 - p^2) n between corrupted x = s + n (p = 0) and clean s (p = 1), a network R estimates s from D(s, p)
alone, and T steps of the corrected sampler lead from x to the last estimate:

    y <- y - D(R(y), p_t) + D(R(y), p_t+1),     with n = x - R(y):     y <- y + (p_t+1^2 - p_t^2) (R(y) - x)

(Bansal et al., "Cold diffusion", arXiv 2208.09392, algorithm 2; for speech Yen et al., arXiv 2211.02527.) R is trained on
single steps from exact D(s, p), so no gradient goes through the sampler.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from models.conv_rnn import ConvRNN
from models.layers.counts import check_count
from models.layers.spectrogram_patches import STRIDE
from models.restorer import SteppedRestorer


class ColdDiffusionRNN(SteppedRestorer):
    """R is a recurrent network of a few steps whose states start at zero; the sampler works on what it has taken out.

    Args:
        steps: of the sampler.
        inner_steps: of R, within each.
        state_channels: of R, as the following: see `ConvRNN`.
        hidden_channels: of its perceptron.
        bias: of its perceptron.
        step_features: of its gains by step.
        frequency_features: of its gains by frequency.
        gate: of the change of its states.
        representation: complex or magnitude.
        fft_samples: of the short-time spectrum.
        hop_samples: of the short-time spectrum.

    Raises:
        ValueError: if a number of steps is none, and as `ConvRNN`.
    """

    level_free = True

    def __init__(
        self,
        steps: int = 4,
        inner_steps: int = 2,
        state_channels: int | None = None,
        hidden_channels: int = 512,
        bias: bool = True,
        step_features: int = 0,
        frequency_features: int = 0,
        gate: bool = False,
        representation: str = "complex",
        fft_samples: int = 512,
        hop_samples: int = 128,
    ) -> None:
        super().__init__()
        check_count("@inner_steps", inner_steps)
        check_count("@steps", steps)
        self.steps, self.inner_steps = steps, inner_steps
        widths = (state_channels, hidden_channels, bias, step_features, frequency_features, gate)
        self.rnn = ConvRNN(inner_steps, *widths, representation, fft_samples, hop_samples)
        self.register_load_state_dict_pre_hook(_with_present_names)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    @property
    def grid_samples(self) -> int:
        """That of the recurrent network."""
        return self.rnn.grid_samples

    def reach_at(self, step: int) -> int:
        """Return how far an output looks, in samples, after `step` steps: each looks at what the ones before took out."""
        return self.rnn.reach_of_frames(step * (STRIDE * self.inner_steps + STRIDE - 1))

    def restore_once(self, partly: Tensor, progress: float) -> Tensor:
        """Return R(D(s, p)), the clean signal in one go.

        Args:
            partly: (B, C, T) restored up to `progress`.
            progress: p.

        Returns:
            (B, C, T).
        """
        level, spectrum = self.rnn.analyze(partly)
        return self.rnn.without(partly, level, self.rest(spectrum, progress))

    def rest(self, spectrum: Tensor, progress: float) -> Tensor:
        """Return what R takes for the noise that is left, (N, C, F, L) from (N, C, F, L)."""
        input_projection = self.rnn.perceptron.prepare(spectrum)
        state = self.rnn.initial_state(input_projection)
        for _ in range(self.inner_steps):
            state = state + self.rnn.perceptron(input_projection, state, progress)
        return self.rnn.noise(state)

    def estimate_at(self, corrupted: Tensor, step: int) -> Tensor:
        """Return the estimate (B, C, T) after `step` steps of the sampler, of a signal (B, C, T)."""
        level, spectrum = self.rnn.analyze(corrupted)
        *_, removed = torch.zeros_like(spectrum), *islice(self.removed(spectrum, max(step, self.steps)), step)
        return self.rnn.without(corrupted, level, removed)

    def estimates(self, corrupted: Tensor, steps: int | None = None) -> Tensor:
        """Return the estimates (T, B, C, T) after every one of T steps of the sampler, of a signal (B, C, T)."""
        level, spectrum = self.rnn.analyze(corrupted)
        taken_out = self.removed(spectrum, self.steps if steps is None else steps)
        return torch.stack([self.rnn.without(corrupted, level, removed) for removed in taken_out])

    def removed(self, spectrum: Tensor, steps: int) -> Iterator[Tensor]:
        """Yield what has been taken out of a spectrogram (N, C, F, L) after each of T steps, (N, C, F, L)."""
        removed = torch.zeros_like(spectrum)
        for step in range(1, steps + 1):
            before, after = ((step - 1) / steps) ** 2, (step / steps) ** 2
            removed = removed + (after - before) * (removed + self.rest(spectrum - removed, (step - 1) / steps))
            yield removed


def _with_present_names(net: nn.Module, weights: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Rename the weights of a checkpoint from when the sampler was a recurrent network itself, in place."""
    for name in [name for name in weights if name.startswith((f"{prefix}perceptron.", f"{prefix}readout"))]:
        weights[f"{prefix}rnn.{name.removeprefix(prefix)}"] = weights.pop(name)
