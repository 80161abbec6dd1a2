"""The recurrent denoiser as a restorer of partly restored signals, applied again and again.

With D(s, p) = s + (1 - p^2) n between corrupted x = s + n (p = 0) and clean s (p = 1), a network R estimates s from D(s, p)
alone, and T steps of the corrected sampler lead from x to the last estimate:

    y <- y - D(R(y), p_t) + D(R(y), p_t+1),     with n = x - R(y):     y <- y + (p_t+1^2 - p_t^2) (R(y) - x)

(Bansal et al., "Cold diffusion", arXiv 2208.09392, algorithm 2; for speech Yen et al., arXiv 2211.02527.) R is trained on
single steps from exact D(s, p), so no gradient goes through the sampler.
"""

import torch
from torch import Tensor

from models.conv_rnn import ConvRNN, StepContext
from models.layers.counts import check_count
from models.layers.spectrogram_patches import STRIDE


class ColdDiffusionRNN(ConvRNN):
    """R is a recurrent network of a few steps whose states start at zero; what the sampler has taken out is its state.

    Args:
        steps: of the sampler.
        inner_steps: of the perceptron within each.
        settings: of `ConvRNN`, without its `steps`.

    Raises:
        ValueError: if there are no inner steps.
    """

    def __init__(self, steps: int = 4, inner_steps: int = 2, **settings: int | bool | str | None) -> None:
        check_count("model.net.inner_steps", inner_steps)
        super().__init__(steps, **settings)  # type: ignore[arg-type]
        self.inner_steps = inner_steps

    def reach_at(self, step: int) -> int:
        """Return how far an output looks, in samples, after `step` steps: each looks at what the ones before took out."""
        return self._reach(step * (STRIDE * self.inner_steps + STRIDE - 1))

    def restore_once(self, partly: Tensor, progress: float) -> Tensor:
        """Return R(D(s, p)), the clean signal in one go.

        Args:
            partly: (B, C, T) restored up to `progress`.
            progress: p.

        Returns:
            (B, C, T).
        """
        context = self.prepare(partly)
        return self.estimate(context, self.rest(context.input_projection, progress))

    def rest(self, spectrum: Tensor, progress: float) -> Tensor:
        """Return what R takes for the noise that is left, (N, C, F, L) from (N, C, F, L)."""
        input_projection = self.perceptron.prepare(spectrum)
        batch, _, rows, columns = input_projection.shape
        state = input_projection.new_zeros(batch, self.readout.shape[1], rows, columns, dtype=torch.float32)
        for _ in range(self.inner_steps):
            state = state + self.perceptron(input_projection, state, progress)
        return super().noise(state)

    def input_projection(self, spectrum: Tensor) -> Tensor:
        """Return the spectrogram (N, C, F, L) itself: what a step sees is not the same in all of them."""
        return spectrum

    def initial_state(self, context: StepContext) -> Tensor:
        """Return what has been taken out before the first step: nothing, (N, C, F, L)."""
        return torch.zeros_like(context.input_projection)

    def advance(self, input_projection: Tensor, state: Tensor, step: int, steps: int) -> Tensor:
        """Return what has been taken out after step number `step`, from 1, of `steps`."""
        before, after = ((step - 1) / steps) ** 2, (step / steps) ** 2
        return state + (after - before) * (state + self.rest(input_projection - state, (step - 1) / steps))

    def noise(self, state: Tensor) -> Tensor:
        """Return the state (N, C, F, L): it is the noise taken out."""
        return state
