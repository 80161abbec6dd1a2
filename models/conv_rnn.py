"""A recurrent denoiser on spectrogram patches, step by step nearer to the clean signal.

After the StackExchange question on recurrent denoising with progressive targets: patches X_ij of a spectrogram, a state z_ij
each that estimates the local noise, one perceptron F of three layers shared by all patches and steps, and

    z_ij <- z_ij + F(X_ij, z_ij, the states of the 8 neighbors),     Y = X - sum_ij w z_ij,     z = 0 at first.

Concatenating a patch and nine states and multiplying by a matrix is a 16 x 16 convolution of stride 8 over X, the same in
every step and so computed once, plus a 3 x 3 convolution over the states: a convolutional recurrent network on an 8 times
coarser grid. With T steps in place of the usual number T_0, F is scaled by T_0 / T: steps of an integration, which may be
finer. Channels of a recording are processed one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.layers.counts import check_count
from models.layers.level import LEVEL_BLOCK_SAMPLES, level_of, sliding_level
from models.layers.patch_perceptron import NEIGHBORHOODS, PatchPerceptron
from models.layers.setting_error import SettingError
from models.layers.spectrogram_patches import PATCH, REPRESENTATIONS, STRIDE, assemble, assembly_kernel, patch_window, rectangle
from models.restorer import SteppedRestorer
from models.streaming.chunking import to_grid


@dataclass(frozen=True)
class StepContext:
    """What stays the same over the steps.

    Attributes:
        corrupted: (B, C, T).
        level: (B * C, 1) its root mean square, or (B * C, T) the one around every sample.
        input_projection: (B * C, H, I, J) the input's part of the first layer, of its spectrogram at level 1.
    """

    corrupted: Tensor
    level: Tensor
    input_projection: Tensor


class ConvRNN(SteppedRestorer):
    """Take the noise out of a spectrogram in T steps; untrained, nothing is taken out.

    The defaults are the published network read literally: 3,147,264 parameters, states that are patches of noise.

    Args:
        steps: T_0, how many there usually are.
        state_channels: of each patch; None: as many as a patch has values, and the state is the patch.
        hidden_channels: of the perceptron.
        bias: without biases the network is homogeneous, f(a x) = a f(x) for a > 0, and beyond its reach of anything louder
            treats quiet passages like loud ones. Nearer, states carry over what the loud passage left in them. With biases the
            input is brought to one level, block by block of about 65,536 samples.
        step_features: of the gains by step, which a number of steps that varies needs; 0 for none.
        frequency_features: of the gains by frequency; 0 for none.
        gate: of the change of the states.
        representation: complex, or magnitude with the phase left as it is.
        fft_samples: of the short-time spectrum, a multiple of 16.
        hop_samples: of the short-time spectrum.
        neighborhood: whose states a patch sees beside its own: 8 (all around it), cross or diagonals (4 of them).

    Raises:
        ValueError: if a count is none, a name is unknown, or the spectrum does not divide into patches.
    """

    level_free = True

    def __init__(
        self,
        steps: int = 100,
        state_channels: int | None = None,
        hidden_channels: int = 512,
        bias: bool = True,
        step_features: int = 0,
        frequency_features: int = 0,
        gate: bool = False,
        representation: str = "complex",
        fft_samples: int = 512,
        hop_samples: int = 128,
        neighborhood: int | str = 8,
    ) -> None:
        super().__init__()
        _check_counts(
            steps=steps, hidden_channels=hidden_channels, state_channels=1 if state_channels is None else state_channels
        )
        _check_counts(0, step_features=step_features, frequency_features=frequency_features)
        _check_spectrum(representation, fft_samples, hop_samples)
        if neighborhood not in NEIGHBORHOODS:
            raise SettingError(f"@neighborhood={neighborhood}; known: {', '.join(map(str, NEIGHBORHOODS))}")
        self.steps = steps
        self.homogeneous = not bias
        self.spectrum = REPRESENTATIONS[representation](fft_samples, hop_samples)
        patch_values = self.spectrum.channels * PATCH**2
        channels = patch_values if state_channels is None else state_channels
        self.perceptron = PatchPerceptron(
            self.spectrum.channels, channels, hidden_channels, bias, step_features, frequency_features, gate, neighborhood
        )
        if state_channels is None:
            self.register_buffer("readout", torch.eye(patch_values), persistent=False)
        else:
            self.readout = nn.Parameter(torch.randn(patch_values, channels) * channels**-0.5)

    @property
    def grid_samples(self) -> int:
        """A column of patches; with biases, the blocks in which the level is taken."""
        column = STRIDE * self.spectrum.hop_samples
        return column if self.homogeneous else to_grid(LEVEL_BLOCK_SAMPLES, column)

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """What is computed at every step."""
        return (self.perceptron,)

    def reach_at(self, step: int) -> int:
        """Return how far an output looks, in samples, after `step` steps."""
        return self.reach_of_frames(STRIDE * step + STRIDE - 1)

    def reach_of_frames(self, frames: int) -> int:
        """Return the reach in samples of a network that looks at so many frames; two levels to either side are interpolated."""
        spectral = self.spectrum.fft_samples + frames * self.spectrum.hop_samples
        return spectral if self.homogeneous else spectral + 3 * self.grid_samples // 2

    def estimate_at(self, corrupted: Tensor, step: int) -> Tensor:
        """Return the estimate (B, C, T) after `step` steps, of a signal (B, C, T)."""
        context, steps = self.prepare(corrupted), max(step, self.steps)
        state = self.initial_state(context.input_projection)
        for number in range(1, step + 1):
            state = self.advance(context.input_projection, state, number, steps)
        return self.estimate(context, state)

    def estimates(self, corrupted: Tensor, steps: int | None = None) -> Tensor:
        """Return the estimates (T, B, C, T) after every one of T steps, of a signal (B, C, T)."""
        context, steps = self.prepare(corrupted), self.steps if steps is None else steps
        return torch.stack([self.estimate(context, state) for state in self.states(context, steps)])

    def states(self, context: StepContext, steps: int) -> Iterator[Tensor]:
        """Yield the states (N, D, I, J) after each of T steps."""
        state = self.initial_state(context.input_projection)
        for number in range(1, steps + 1):
            state = self.advance(context.input_projection, state, number, steps)
            yield state

    def prepare(self, corrupted: Tensor) -> StepContext:
        """Compute what all steps share, of a signal (B, C, T)."""
        level, spectrum = self.analyze(corrupted)
        return StepContext(corrupted, level, self.perceptron.prepare(spectrum))

    def analyze(self, corrupted: Tensor) -> tuple[Tensor, Tensor]:
        """Return the level of a signal (B, C, T), as in `StepContext`, and its spectrogram (B * C, C', F, L) at level 1."""
        signal = corrupted.reshape(-1, corrupted.shape[-1]).float()  # (B * C, T)
        level = level_of(signal) if self.homogeneous else sliding_level(signal, self.grid_samples)
        with torch.autocast(signal.device.type, enabled=False):
            return level, self.spectrum.analyze(signal / level.clamp_min(torch.finfo(torch.float32).tiny))

    def initial_state(self, input_projection: Tensor) -> Tensor:
        """Return the states (N, D, I, J) before the first step, of projections (N, H, I, J): nothing is noise."""
        batch, _, rows, columns = input_projection.shape
        return input_projection.new_zeros(batch, self.readout.shape[1], rows, columns, dtype=torch.float32)

    def advance(self, input_projection: Tensor, state: Tensor, step: int, steps: int) -> Tensor:
        """Return the states (N, D, I, J) after step number `step`, from 1, of `steps`."""
        update: Tensor = self.perceptron(input_projection, state, (step - 0.5) / steps)
        return state + self.steps / steps * update

    def noise(self, state: Tensor) -> Tensor:
        """Return the spectrogram (N, C, F, L) of what the states (N, D, I, J) take for noise, at level 1."""
        return assemble(state, assembly_kernel(self.readout, patch_window(state.device)))

    def estimate(self, context: StepContext, state: Tensor) -> Tensor:
        """Return the signal (B, C, T) without what the states (N, D, I, J) take for noise."""
        return self.without(context.corrupted, context.level, self.noise(state))

    def without(self, corrupted: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Return a signal without noise that was found in it.

        Args:
            corrupted: (B, C, T).
            level: of the signal, from `analyze`.
            noise: (B * C, C', F, L) its spectrogram at level 1.

        Returns:
            (B, C, T).
        """
        signal = corrupted.reshape(-1, corrupted.shape[-1])
        with torch.autocast(signal.device.type, enabled=False):
            found = self.spectrum.synthesize(noise.float(), signal.float())
        return corrupted - (level * found).reshape(corrupted.shape)


class ConvRNNPublished(ConvRNN):
    """The network as it is written down: z <- F(X, z, ...), not z + F, and patches added up as they are.

    The arguments are those of `ConvRNN`. Other numbers of steps than the usual one are more or fewer steps of the same length.
    """

    def advance(self, input_projection: Tensor, state: Tensor, step: int, steps: int) -> Tensor:
        """Return the states (N, D, I, J) after step number `step`, from 1, of `steps`."""
        after: Tensor = self.perceptron(input_projection, state, (step - 0.5) / steps)
        return after

    def noise(self, state: Tensor) -> Tensor:
        """Return the spectrogram (N, C, F, L) of what the states (N, D, I, J) take for noise, four patches at every place."""
        return assemble(state, assembly_kernel(self.readout, rectangle(state.device)))


def _check_counts(lowest: int = 1, **counts: int) -> None:
    for name, count in counts.items():
        check_count(f"@{name}", count, lowest)


def _check_spectrum(representation: str, fft_samples: int, hop_samples: int) -> None:
    if representation not in REPRESENTATIONS:
        raise SettingError(f"@representation={representation}; known: {', '.join(REPRESENTATIONS)}")
    _check_counts(fft_samples=fft_samples, hop_samples=hop_samples)
    if fft_samples % (2 * STRIDE) or hop_samples > fft_samples // 2:
        raise SettingError(
            f"@fft_samples={fft_samples} must be a multiple of {2 * STRIDE}, and @hop_samples={hop_samples} at most half of it"
        )
