"""SPLICE: what a noisy frame lacks is a matter of the kind of frame it is, of which a mixture of Gaussians knows some.

Deng, Acero, Plumpe and Huang, "Large-vocabulary speech recognition under adverse acoustic environments" (ICSLP 2000). Noisy
frames y have the density p(y) = sum_k c_k N(y; mu_k, Sigma_k), Sigma_k diagonal. A frame is restored by
x = y + sum_k p(k | y) r_k, and of pairs of frames r_k = sum_n p(k | y_n) (x_n - y_n) / sum_n p(k | y_n).

All of these are ratios of means over frames: of K p(k | y), and of K p(k | y) times y, y^2 and x - y. The means are what is
learned. A step of a share eta from the means so far to those of a batch is online EM (Cappe and Moulines 2009, J. R. Stat. Soc.
B 71(3)); it is the descent at a rate of eta of half the squared distance between the two.
"""

import math

import torch
from torch import Tensor, nn

from models.layers.counts import check_count
from models.spectral_restorer import SpectralRestorer

LEAST_SHARE = 1e-6
"""Of a component, relative to an equal one; what is below is as good as none."""
LEAST_VARIANCE = 0.01
"""Of a feature: deviations of 2 dB, below which frames are of one kind."""
FIRST_ROUNDS = 10
"""Of EM on the first batch."""


class SPLICE(SpectralRestorer):
    """Correct log spectra by components of a mixture; untrained, by nothing.

    Args:
        sample_rate: in Hz.
        components: of the mixture.
        fft_samples: of the Hann window.
        hop_samples: from frame to frame, at most half a window.
        bands: of the mel scale; None restores every bin.

    Raises:
        SettingError: if there is no component, or a number does not fit the others.
    """

    started: Tensor

    def __init__(
        self, sample_rate: int, components: int = 256, fft_samples: int = 512, hop_samples: int = 128, bands: int | None = 64
    ) -> None:
        super().__init__(sample_rate, fft_samples, hop_samples, bands)
        check_count("@components", components)
        means = torch.linspace(-1, 1, components)[:, None].repeat(1, self.frames.size)
        self.share = nn.Parameter(torch.ones(components, 1))  # the mean of K p(k | y)
        self.first = nn.Parameter(means)  # of K p(k | y) y
        self.second = nn.Parameter(1 + means.square())  # of K p(k | y) y^2
        self.gap = nn.Parameter(torch.zeros_like(means))  # of K p(k | y) (x - y)
        self.register_buffer("started", torch.tensor(False))

    @property
    def statistics(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The means over frames, (K, 1) and thrice (K, D)."""
        return self.share, self.first, self.second, self.gap

    def enhanced(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to restored ones of the same shape."""
        corrections = self.gap / self.share.clamp_min(LEAST_SHARE)  # (K, D)
        frames = features.float().transpose(1, 2)
        with torch.autocast(features.device.type, enabled=False):
            return (frames + self.posteriors(frames) @ corrections).transpose(1, 2)

    def posteriors(self, frames: Tensor) -> Tensor:
        """Return p(k | y), (..., K), of frames (..., D)."""
        shares = self.share.clamp_min(LEAST_SHARE)
        means = self.first / shares
        variances = (self.second / shares - means.square()).clamp_min(LEAST_VARIANCE)
        center = (shares * means).sum(dim=0) / shares.sum()  # squares are small around it, and rounded little
        frames, means = frames - center, means - center
        distances = frames.square() @ (1 / variances).T - 2 * frames @ (means / variances).T  # (..., K)
        constants = (means.square() / variances + variances.log()).sum(dim=1)
        return torch.softmax(shares[:, 0].log() - 0.5 * (distances + constants), dim=-1)

    @torch.no_grad()
    def statistics_of(self, noisy: Tensor, clean: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the statistics would be if these were all frames, given what kinds they are taken for.

        Args:
            noisy: features (N, D, L).
            clean: features (N, D, L).
        """
        y, x = (features.float().transpose(1, 2).flatten(0, 1) for features in (noisy, clean))  # (frames, D)
        with torch.autocast(y.device.type, enabled=False):
            weights = self.posteriors(y).T * (len(self.share) / len(y))  # (K, frames)
            return weights.sum(dim=1, keepdim=True), weights @ y, weights @ y.square(), weights @ (x - y)

    def statistics_error(self, noisy: Tensor, clean: Tensor) -> Tensor:
        """Return half the squared distance () of the statistics from those of features (N, D, L)."""
        pairs = zip(self.statistics, self.statistics_of(noisy, clean), strict=True)
        return torch.stack([0.5 * (mine - theirs).square().sum() for mine, theirs in pairs]).sum()

    @torch.no_grad()
    def start(self, noisy: Tensor, clean: Tensor) -> None:
        """Take frames from the most silent to the loudest for the first means, and learn the first batch by EM.

        Args:
            noisy: features (N, D, L).
            clean: features (N, D, L).
        """
        frames = noisy.float().transpose(1, 2).flatten(0, 1)
        order = frames.mean(dim=1).argsort(stable=True)
        means = frames[order[_evenly(len(frames), len(self.share)).to(order.device)]]
        self.first.copy_(means)
        self.second.copy_(frames.var(dim=0, correction=0) + means.square())
        for _ in range(FIRST_ROUNDS):
            for mine, theirs in zip(self.statistics, self.statistics_of(noisy, clean), strict=True):
                mine.copy_(theirs)
        self.started.fill_(True)


def _evenly(available: int, wanted: int) -> Tensor:
    """Return so many of the places 0, ..., available - 1, from end to end.

    >>> _evenly(9, 4)
    tensor([1, 3, 5, 7])
    """
    return torch.tensor([math.floor((place + 0.5) * available / wanted) for place in range(wanted)])
