"""A complex mask on a short-time spectrum for sound that is still coming in: no look at the future but a stated latency.

What `mask_net` takes from a whole segment, running statistics give: exponential means over time, and a floor of every bin that
rises slowly and falls at once. Frames are short (32 ms at 16 kHz), patches are 16 x 4 bins and frames, one every 8 bins and every
frame. The mask of a frame is estimated when the next ones are known (`lookahead_frames`), one by default. The restored signal is
x + c, c being the overlapped frames of M X, divided by the overlapped squared windows; M = 0 before training.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft
from models.layers.causal_blocks import BlockState, CausalContextBlock, CausalConv
from models.layers.causal_features import FEATURES, CausalFeatures, FeatureState
from models.layers.counts import check_count
from models.layers.setting_error import SettingError
from models.layers.starting import side_by_side, zeroed
from models.restorer import Restorer
from models.streaming.chunking import to_grid

PATCH_BINS, PATCH_FRAMES = 8, 4
"""From patch to patch over frequency, each covering twice as much; what each covers over time."""
DILATIONS = 5
"""After so many blocks, whose taps are 1, 2, 4, ... frames apart, the next begins with 1 again."""
REACH_MEMORIES = 12
"""After so many times the memory of running statistics, nothing of what was heard is left in single precision."""
BLOCK_FRAMES = 512
"""That a whole recording is worked on in, which bounds the memory."""


class StreamState(NamedTuple):
    """What the samples so far have left: N channels, frames of n samples, a hop of H, a look-ahead of A frames, F bins."""

    samples: Tensor  # (N, n - H + A H), the newest ones
    spectra: Tensor  # (N, A, F) that have no mask yet
    tail: Tensor  # (N, n - H) of the frames that go on
    features: FeatureState
    pasts: tuple[Tensor, Tensor, Tensor]  # of the convolutions patches, fine, joint
    blocks: list[BlockState]


class MaskNetCausal(Restorer):
    """Lay a complex mask on the spectrum of a signal as it comes in, channel by channel; untrained, it changes nothing.

    A sample of the output depends on the input up to `latency_samples` - 1 later, 640 by default: 40 ms at 16 kHz. The defaults
    have 305,978 parameters and take 1.27 billion multiplications for a second at 16 kHz.

    Args:
        sample_rate: in Hz.
        channels: of a patch.
        blocks: that let patches know of each other.
        fine_channels: of every bin, from its patch and its own neighbors.
        hidden_channels: between these and the mask.
        fft_samples: of the Hann window, a multiple of 16 and of the hop.
        hop_samples: from frame to frame, at most half a window.
        lookahead_frames: that are waited for before a frame's mask is estimated.
        memory_seconds: after which a frame counts 1 / e in running statistics; at least a hop.

    Raises:
        SettingError: if a count is none, the spectrum does not divide into patches, or the memory is too short.
    """

    level_free = True
    window: Tensor
    gain: Tensor

    def __init__(
        self,
        sample_rate: int,
        channels: int = 64,
        blocks: int = 5,
        fine_channels: int = 8,
        hidden_channels: int = 16,
        fft_samples: int = 512,
        hop_samples: int = 128,
        lookahead_frames: int = 1,
        memory_seconds: float = 2.0,
    ) -> None:
        super().__init__()
        check_count("@blocks", blocks, 0)
        check_count("@lookahead_frames", lookahead_frames, 0)
        for name, count in {"channels": channels, "fine_channels": fine_channels, "hidden_channels": hidden_channels}.items():
            check_count(f"@{name}", count)
        _check_spectrum(fft_samples, hop_samples)
        if not hop_samples <= memory_seconds * sample_rate < math.inf:
            raise SettingError(f"@memory_seconds={memory_seconds} must be at least a hop, {hop_samples / sample_rate:g} s")
        self.fft_samples, self.hop_samples, self.lookahead_frames = fft_samples, hop_samples, lookahead_frames
        self.memory_samples = memory_seconds * sample_rate
        window = torch.hann_window(fft_samples)
        self.register_buffer("window", window, persistent=False)
        overlapped = window.square().unflatten(0, (-1, hop_samples)).sum(dim=0)
        self.register_buffer("gain", window / overlapped.repeat(fft_samples // hop_samples), persistent=False)
        memory_frames = self.memory_samples / hop_samples
        factor = math.exp(-1 / memory_frames)
        self.features = CausalFeatures(fft_samples // 2, fft_samples, hop_samples, memory_frames)
        self.patches = CausalConv(FEATURES, channels, (2 * PATCH_BINS, PATCH_FRAMES), stride_bins=PATCH_BINS)
        self.blocks = nn.ModuleList(CausalContextBlock(channels, 2 ** (at % DILATIONS), factor) for at in range(blocks))
        self.spread = nn.Conv2d(channels, fine_channels * PATCH_BINS, 1)
        self.fine = CausalConv(FEATURES, fine_channels, (3, 3))
        self.joint = CausalConv(fine_channels, hidden_channels, (3, 3))
        self.mask = zeroed(nn.Conv2d(hidden_channels, 2, 1))
        side_by_side(self)

    @property
    def latency_samples(self) -> int:
        """A window and the look-ahead: how many samples of the input, from its own on, a sample of the output waits for."""
        return self.fft_samples + self.lookahead_frames * self.hop_samples

    @property
    def delay_samples(self) -> int:
        """By how much the output of `stream` lags its input: the latency, less the hop that a block has to fill anyway."""
        return self.latency_samples - self.hop_samples

    @property
    def reach_samples(self) -> int:
        """How far back running statistics remember; the look ahead is the latency."""
        return math.ceil(REACH_MEMORIES * self.memory_samples) + self.latency_samples

    @property
    def grid_samples(self) -> int:
        """A hop."""
        return self.hop_samples

    def forward(self, corrupted: Tensor) -> Tensor:
        """Restore a whole recording: what `stream` gives, without its delay.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        samples = corrupted.shape[-1]
        lacking = to_grid(samples + self.delay_samples, self.hop_samples) - samples
        signal = functional.pad(corrupted.reshape(-1, samples), (0, lacking)).float()  # (N, T'), N = B * C
        found, state = [], None
        for block in signal.split(BLOCK_FRAMES * self.hop_samples, dim=-1):
            change, state = self._change(block, state)
            found.append(change)
        whole = torch.cat(found, dim=-1)[:, self.delay_samples :]
        return corrupted + whole[:, :samples].reshape(corrupted.shape)

    def stream(self, state: StreamState | None, block: Tensor) -> tuple[Tensor, StreamState]:
        """Restore a block of sound that is still coming in.

        Args:
            state: what the call before has returned; None before the first block.
            block: (B, C, T), T a multiple of `hop_samples`; B and C as before.

        Returns:
            (B, C, T), the restored signal `delay_samples` earlier (silence before its first sample), and the new state.

        Raises:
            ValueError: for a block of another length, or of other channels than before.
        """
        if block.shape[-1] < 1 or block.shape[-1] % self.hop_samples:
            raise ValueError(f"a block of {block.shape[-1]} samples must be a multiple of hop_samples={self.hop_samples}")
        signal = block.reshape(-1, block.shape[-1]).float()
        if state is not None and len(state.samples) != len(signal):
            raise ValueError(f"a block of {len(signal)} channels in all goes on with a stream of {len(state.samples)}")
        delayed = torch.cat([self._samples_before(signal, state), signal], dim=-1)[:, : signal.shape[-1]]
        change, state = self._change(signal, state)
        return (delayed + change).reshape(block.shape), state

    def _samples_before(self, signal: Tensor, state: StreamState | None) -> Tensor:
        return signal.new_zeros(len(signal), self.delay_samples) if state is None else state.samples

    def _change(self, signal: Tensor, state: StreamState | None) -> tuple[Tensor, StreamState]:
        """Return what is added to signals (N, T) as late as `stream` gives them, (N, T), and the new state."""
        known = torch.cat([self._samples_before(signal, state), signal], dim=-1)
        with torch.autocast(signal.device.type, enabled=False):
            framed = known[:, self.lookahead_frames * self.hop_samples :]
            spectrum = stft.analyze(framed, self.window, self.hop_samples, edges="bare").mT[..., :-1]  # (N, L, F)
            features, heard, feature_state = self.features(spectrum, state and state.features)
        change, pasts, blocks = self.change(features, heard, state)
        with torch.autocast(signal.device.type, enabled=False):
            spectra = torch.cat([self._spectra_before(spectrum, state), spectrum], dim=1)
            mask = torch.complex(*change.float().mT.unbind(dim=1))  # (N, L, F)
            overlapped = self._synthesize(mask * spectra[:, : mask.shape[1]])
        tail = self.fft_samples - self.hop_samples
        if state is not None:
            overlapped = overlapped + functional.pad(state.tail, (0, overlapped.shape[-1] - tail))
        left = StreamState(
            samples=known[:, signal.shape[-1] :],
            spectra=spectra[:, mask.shape[1] :],
            tail=overlapped[:, signal.shape[-1] :],
            features=feature_state,
            pasts=pasts,
            blocks=blocks,
        )
        return overlapped[:, : signal.shape[-1]], left

    def _spectra_before(self, spectrum: Tensor, state: StreamState | None) -> Tensor:
        shape = (len(spectrum), self.lookahead_frames, spectrum.shape[-1])
        return spectrum.new_zeros(shape) if state is None else state.spectra

    def _synthesize(self, spectrum: Tensor) -> Tensor:
        """Return the overlapped frames (N, (L - 1) H + n) of spectra (N, L, F) that lack the Nyquist bin."""
        return stft.overlap(self.gain * torch.fft.irfft(functional.pad(spectrum, (0, 1)), n=self.fft_samples), self.hop_samples)

    def change(
        self, features: Tensor, heard: Tensor, state: StreamState | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor], list[BlockState]]:
        """Return the real and imaginary parts (N, 2, F, L) of M, of features (N, 8, F, L), and what is left for the next."""
        before = (None, None, None) if state is None else state.pasts
        patches, patches_past = self.patches.go_on(features, before[0])
        blocks = []
        for at, block in enumerate(self.blocks):
            patches, block_state = block(patches, heard, state and state.blocks[at])
            blocks.append(block_state)
        fine, fine_past = self.fine.go_on(features, before[1])
        spread = shuffle(self.spread(functional.relu(patches)))
        joint, joint_past = self.joint.go_on(functional.relu(spread + fine), before[2])
        mask: Tensor = self.mask(functional.relu(joint))
        return mask, (patches_past, fine_past, joint_past), blocks


def shuffle(patches: Tensor) -> Tensor:
    """Lay patches out over the bins from one to the next.

    Args:
        patches: (N, D * 8, I, L), in the order channel, bin.

    Returns:
        (N, D, 8 I, L).
    """
    apart: Tensor = patches.unflatten(1, (-1, PATCH_BINS))  # (N, D, 8, I, L)
    return apart.transpose(2, 3).flatten(2, 3)


def _check_spectrum(fft_samples: int, hop_samples: int) -> None:
    check_count("@hop_samples", hop_samples)
    if type(fft_samples) is not int or fft_samples < 1 or fft_samples % (2 * PATCH_BINS):
        raise SettingError(f"@fft_samples={fft_samples} must be a multiple of {2 * PATCH_BINS}")
    if fft_samples % hop_samples or fft_samples < 2 * hop_samples:
        raise SettingError(f"@hop_samples={hop_samples} must go into @fft_samples={fft_samples} twice or more, without a rest")
