"""Clicks found and filled by an autoregressive model (Janssen, Veldhuis and Vries 1986; Godsill and Rayner 1998, chapter 5).

In frames of 64 ms the samples are predicted from the 32 before them, x[n] = -sum over j of a[j] x[n - j] + e[n]. What a sample is
off from what all others say of it, (A'A x)[n] / (A'A)[n, n] with A x = e, is large for a click. Samples for which it exceeds a
multiple of its robust deviation are replaced by those of least |A x|^2. Then the model is estimated anew, and looked at again.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.frames import frame_samples
from models.layers.counts import check_count
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.setting_error import SettingError
from models.restorer import SegmentedRestorer, segments_of

FRAME_SECONDS = 0.064
CONTEXT_FRAMES = 0.5
"""On each side of a frame, that its model is estimated from as well."""
NEIGHBORS = 8
"""Samples to each side of a click, at which what it leaves behind is no click of its own."""
SHARE_OF_PEAK = 0.5
BLOCKS = 16
"""Of a frame, in three of which the deviation is taken once more: beginnings of sounds last longer than clicks."""
LEAST_NOISE = 1e-7
"""Power relative to that of a frame that keeps its correlation invertible."""
SOLVING_STEPS = 40
"""Of conjugate gradients; a click of so many samples is exact."""
DEVIATIONS_OF_MEDIAN = 1.4826


class ARDeclick(SegmentedRestorer):
    """Replace clicks, and leave all other samples as they are.

    Args:
        sample_rate: rate of the signals in Hz.
        order: of the model.
        threshold: deviations beyond which a sample is a click.
        rounds: of model and clicks.

    Raises:
        SettingError: if there are no such clicks.
    """

    identity_at_start = False

    def __init__(self, sample_rate: int, order: int = 32, threshold: float = 8.0, rounds: int = 3) -> None:
        check_count("@order", order)
        check_count("@rounds", rounds)
        if not threshold > 0:
            raise SettingError(f"@threshold={threshold} must be above 0")
        self.frame = max(frame_samples(FRAME_SECONDS, sample_rate), 2 * order)
        self.context = max(order, int(CONTEXT_FRAMES * self.frame))
        super().__init__(segments_of(sample_rate, self.frame))
        self.order, self.threshold, self.rounds = order, threshold, rounds

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Replace clicks.

        Args:
            corrupted: signal (B, C, T); channels are treated one by one.

        Returns:
            Signal (B, C, T).
        """
        signal = to_mono_batch(corrupted, 1)[:, 0].float()
        clicks, restored = torch.zeros_like(signal, dtype=torch.bool), signal
        for _ in range(self.rounds):
            frames = self.framed(restored)
            model = autoregression(frames, self.order)
            clicks = clicks | self.joined(self.found(frames, model), signal.shape[-1])
            inside = self.framed(clicks.float()) > 0
            struck = inside.any(dim=-1)
            if not struck.any():
                break
            frames[struck] = filled(frames[struck], model[struck], inside[struck])
            restored = torch.where(clicks, self.joined(frames, signal.shape[-1]), signal)
        return from_mono_batch(restored[:, None], corrupted).to(corrupted.dtype)

    def framed(self, signal: Tensor) -> Tensor:
        """Return frames with their contexts (N, frames, context + frame + context) of signals (N, T), silence around them."""
        filled_up = functional.pad(signal, (self.context, self.context - signal.shape[-1] % -self.frame))
        return filled_up.unfold(-1, self.frame + 2 * self.context, self.frame).clone()

    def joined(self, frames: Tensor, samples: int) -> Tensor:
        """Return signals (N, T) of frames without their contexts."""
        return frames[..., self.context : -self.context].flatten(1)[:, :samples]

    def found(self, frames: Tensor, model: Tensor) -> Tensor:
        """Return where frames (N, F, n) have clicks by their models (N, F, p + 1), of the same shape.

        Ends of the signal have no neighbors, and contexts no models of their own: there is nothing found.
        """
        off = misfit(frames, model).abs()
        usual = off.masked_fill(frames == 0, float("nan"))
        everywhere = usual[..., self.context : -self.context].nanmedian(dim=-1, keepdim=True).values
        deviation = DEVIATIONS_OF_MEDIAN * torch.maximum(everywhere, self.nearby(usual))
        peak = functional.max_pool1d(off, 2 * NEIGHBORS + 1, 1, NEIGHBORS)
        return (off > self.threshold * deviation) & (off >= SHARE_OF_PEAK * peak)

    def nearby(self, usual: Tensor) -> Tensor:
        """Return the largest median of three blocks around every sample of values (N, F, n), 0 where there are none but NaN."""
        block = self.frame // BLOCKS
        parts = functional.pad(usual, (0, -usual.shape[-1] % block), value=float("nan")).unflatten(-1, (-1, block))
        medians = functional.max_pool1d(parts.nanmedian(dim=-1).values.nan_to_num(0.0), 3, 1, 1)
        return medians.repeat_interleave(block, dim=-1)[..., : usual.shape[-1]]


def autoregression(frames: Tensor, order: int) -> Tensor:
    """Return models by the autocorrelation of frames under a Hann window.

    Args:
        frames: (..., n).
        order: p.

    Returns:
        Coefficients (..., p + 1) of the prediction error, the first 1.
    """
    spectrum = torch.fft.rfft(frames * torch.hann_window(frames.shape[-1], device=frames.device), n=2 * frames.shape[-1])
    power = spectrum.real.square() + spectrum.imag.square()
    correlation = torch.fft.irfft(power)[..., : order + 1]
    correlation = correlation / torch.where(correlation[..., :1] > 0, correlation[..., :1], 1.0)
    lags = torch.arange(order, device=frames.device)
    toeplitz = correlation[..., (lags[:, None] - lags).abs()] + LEAST_NOISE * torch.eye(order, device=frames.device)
    silent = (correlation[..., :1, None] == 0) * torch.eye(order, device=frames.device)
    ahead = -torch.linalg.solve_ex(toeplitz + silent, correlation[..., 1:, None]).result[..., 0]
    return torch.cat([torch.ones_like(ahead[..., :1]), ahead], dim=-1)


def misfit(frames: Tensor, model: Tensor) -> Tensor:
    """Return how far every sample of frames (..., n) is off from what all others say of it by models (..., p + 1)."""
    return normal(frames, model) / model.square().sum(-1, keepdim=True)


def normal(frames: Tensor, model: Tensor) -> Tensor:
    """Return A'A x of frames x (..., n), between silence, where A x is the prediction error by models (..., p + 1)."""
    size = frames.shape[-1] + 2 * model.shape[-1]
    response = torch.fft.rfft(model, n=size)
    power = response.real.square() + response.imag.square()
    result: Tensor = torch.fft.irfft(torch.fft.rfft(frames, n=size) * power, n=size)
    return result[..., : frames.shape[-1]]


def filled(frames: Tensor, model: Tensor, unknown: Tensor) -> Tensor:
    """Replace unknown samples by those of the least prediction error, by conjugate gradients.

    Args:
        frames: (M, n).
        model: (M, p + 1).
        unknown: where (M, n).

    Returns:
        (M, n).
    """
    known = frames.masked_fill(unknown, 0.0)
    residual = -normal(known, model) * unknown
    answer, direction = torch.zeros_like(frames), residual
    error = residual.square().sum(-1, keepdim=True)
    for _ in range(SOLVING_STEPS):
        image = normal(direction, model) * unknown
        curvature = (direction * image).sum(-1, keepdim=True)
        step = torch.where(curvature > 0, error / curvature, 0.0)
        answer, residual = answer + step * direction, residual - step * image
        left = residual.square().sum(-1, keepdim=True)
        direction = residual + torch.where(error > 0, left / error, 0.0) * direction
        error = left
    return known + answer
