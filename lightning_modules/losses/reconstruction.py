"""Reconstruction losses between a restored and a clean waveform, and the weighted sum every recipe trains on."""

from collections.abc import Callable, Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from lightning_modules.losses.deep_feature import DeepFeatureLoss
from lightning_modules.losses.registry import RECONSTRUCTION
from models.layers import stft

POWER_FLOOR = 1e-8
"""Smallest power in a logarithm: about -80 dB re full scale in the time domain, so that silence has a finite loss."""

FFT_SIZES = (512, 1024, 2048)
RECONSTRUCTION_LOSSES = tuple(RECONSTRUCTION)


def l2(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the mean squared error, in squared full-scale units.

    Args:
        restored: (B, C, T).
        clean: (B, C, T).

    Returns:
        () scalar.

    >>> l2(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 0.0]]])).item()
    2.0
    """
    return (restored - clean).square().mean()


def l1(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the mean absolute error, in full-scale units.

    Args:
        restored: (B, C, T).
        clean: (B, C, T).

    Returns:
        () scalar.

    >>> l1(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 0.0]]])).item()
    1.0
    """
    return (restored - clean).abs().mean()


def log_mse(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the negative signal-to-noise ratio in dB, averaged over the batch.

    Every example counts the same however quiet it is: 10 log10((mean (x - y)^2 + e) / (mean y^2 + e)), e = 1e-8
    (Kavalerov et al., "Universal sound separation", arXiv 1905.03330, equation 2).

    Args:
        restored: (B, C, T).
        clean: (B, C, T).

    Returns:
        () scalar in dB; lower is better.

    >>> round(log_mse(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[1.0, 1.0]]])).item(), 4)
    -6.0206
    """
    error = (restored - clean).square().mean(dim=(1, 2))  # (B,)
    power = clean.square().mean(dim=(1, 2))
    return (10 * torch.log10((error + POWER_FLOOR) / (power + POWER_FLOOR))).mean()


class MultiResolutionSTFT(nn.Module):
    """Spectral convergence plus log-magnitude distance at several resolutions.

    Yamamoto, Song and Kim, "Parallel WaveGAN" (arXiv 1910.11480), equations 4 to 6, averaged over the resolutions:
    ||S - R||_F / ||S||_F + mean |log S - log R| with Hann windows and a hop of a quarter window. Computed in float32
    under any autocast.

    Args:
        fft_sizes: window lengths in samples.
    """

    def __init__(self, fft_sizes: Sequence[int] = FFT_SIZES) -> None:
        super().__init__()
        self.fft_sizes = tuple(fft_sizes)
        for size in self.fft_sizes:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare (B, C, T) with (B, C, T); returns a () scalar, 0 for equal signals."""
        with torch.autocast(restored.device.type, enabled=False):
            distances = [self._distance(restored.float(), clean.float(), size) for size in self.fft_sizes]
        return torch.stack(distances).mean()

    def _distance(self, restored: Tensor, clean: Tensor, size: int) -> Tensor:
        estimate, target = self._magnitude(restored, size), self._magnitude(clean, size)  # (B * C, F, L)
        convergence: Tensor = torch.linalg.vector_norm(target - estimate) / torch.linalg.vector_norm(target)
        return convergence + (target.log() - estimate.log()).abs().mean()

    def _magnitude(self, signal: Tensor, size: int) -> Tensor:
        window = self.get_buffer(f"window_{size}")
        spectrum = stft.analyze(stft.filled_to_frame(signal.flatten(0, 1), size), window, size // 4)
        return stft.squared_magnitude(spectrum).clamp_min(POWER_FLOOR).sqrt()


def check_functions(named: Collection[str]) -> None:
    """Refuse a registered loss that nothing computes, and the computation of none that is registered.

    Raises:
        LookupError: naming them.
    """
    if odd := set(named) ^ set(RECONSTRUCTION):
        raise LookupError(f"{', '.join(sorted(odd))}: a loss needs a line in registry.py and a function in reconstruction.py")


_OF_WAVEFORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l2": l2, "l1": l1, "log_mse": log_mse}
check_functions([*_OF_WAVEFORMS, "mr_stft", "deep_feature"])


class ReconstructionLoss(nn.Module):
    """The named reconstruction terms of one restored batch; a term of weight 0 is not computed.

    Args:
        weights: weight by name; known names are l2, l1, log_mse, mr_stft and deep_feature.
        fft_sizes: window lengths of mr_stft, in samples.
        beside: names of terms that a recipe computes itself, which may have a weight too.

    Raises:
        ValueError: for an unknown name, or when no weight is above 0.
    """

    def __init__(self, weights: Mapping[str, float], fft_sizes: Sequence[int] = FFT_SIZES, beside: Collection[str] = ()) -> None:
        super().__init__()
        check_names(weights, (*RECONSTRUCTION_LOSSES, *beside))
        if not any(weight > 0 for weight in weights.values()):
            known = ", ".join((*RECONSTRUCTION_LOSSES, *beside))
            raise ValueError(f"model.loss_weights={dict(weights)} trains nothing; give one of {known} a weight above 0")
        self.weights = {name: float(weight) for name, weight in weights.items()}
        self.mr_stft = MultiResolutionSTFT(fft_sizes)
        self.deep_feature = DeepFeatureLoss() if self.weights.get("deep_feature", 0.0) > 0 else None

    def terms(self, restored: Tensor, clean: Tensor) -> dict[str, Tensor]:
        """Return the unweighted terms in use, by name.

        Args:
            restored: (B, C, T).
            clean: (B, C, T).

        Returns:
            () scalars.
        """
        losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {**_OF_WAVEFORMS, "mr_stft": self.mr_stft}
        if self.deep_feature is not None:
            losses["deep_feature"] = self.deep_feature
        return {name: losses[name](restored, clean) for name, weight in self.weights.items() if weight > 0 and name in losses}

    def end_epoch(self) -> None:
        """Tell the terms that learn from an epoch that one has ended."""
        if self.deep_feature is not None:
            self.deep_feature.end_epoch()


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return sum_k weights[k] * terms[k].

    Args:
        terms: () scalars by name.
        weights: weight of every term.

    Raises:
        ValueError: if a term has no weight.

    >>> weighted_sum({"l1": torch.tensor(2.0), "l2": torch.tensor(3.0)}, {"l1": 1.0, "l2": 0.5}).item()
    3.5
    """
    check_names(terms, tuple(weights))
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


def check_names(given: Mapping[str, object], known: Sequence[str]) -> None:
    """Refuse names that no loss has.

    Raises:
        ValueError: naming the unknown names and the known ones.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"unknown model.loss_weights {', '.join(unknown)}; known: {', '.join(sorted(known))}")
