"""Total variation of spectra over time, where the phases of tones have been turned back: steady tones have none.

Bayram 2014 and Yatabe and Oikawa 2018 (both ICASSP; "Phase corrected total variation for audio signals"): of the noisy spectra Y,
over the deviation sigma of the noise, those spectra X are found that minimize, bin by bin,
1/2 sum |X[m] - Y[m]|^2 + lambda sum |conj(u[m]) X[m + 1] - X[m]|. u[m] is the phase by which the instantaneous frequency turns
from frame to frame, taken from the products conj(Y[m]) Y[m + 1] around. A primal-dual splitting solves it (Chambolle and Pock
2011, algorithm 2). Then comes the empirical Wiener filter |X|^2 / (1 + |X|^2) of what is left, as Bayram has it.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.spectral_gain import SpectralFilter, ToldNoise
from models.layers import stft
from models.layers.setting_error import SettingError

AROUND_FRAMES, AROUND_BINS = 4, 1
"""To either side, whose products say how phases turn."""
STEPS = 100
NORM = 4.0
"""The most that the squared norm of a turned difference can be."""


class TotalVariation(SpectralFilter):
    """Keep what goes on evenly over time, tone by tone.

    Args:
        sample_rate: rate of the signals in Hz.
        smoothness: lambda, in deviations of the noise.

    Raises:
        SettingError: if it is not above 0.
    """

    def __init__(self, sample_rate: int, smoothness: float = 2.0) -> None:
        super().__init__(sample_rate)
        if not smoothness > 0:
            raise SettingError(f"@smoothness={smoothness} must be above 0")
        self.smoothness = smoothness

    def filtered(self, spectra: Tensor, noise_psd: Tensor) -> Tensor:
        """Return spectra (N, frames, bins) under gains from 0 to below 1; see `SpectralFilter`."""
        noisy = spectra / noise_psd.sqrt()
        left = stft.squared_magnitude(least_variation(noisy, turns(noisy), self.smoothness))
        return left / (1 + left) * spectra


class TotalVariationOracle(ToldNoise, TotalVariation):
    """Total variation with a noise spectrum that is known: the bound for the blind one, not a restorer."""


def turns(spectra: Tensor) -> Tensor:
    """Return the phase factors (N, frames - 1, bins) by which tones go on from frame to frame, 1 in silence.

    Args:
        spectra: (N, frames, bins).
    """
    product = torch.view_as_real(spectra[:, :-1].conj() * spectra[:, 1:]).movedim(-1, 1)  # (N, 2, frames - 1, bins)
    sides = (AROUND_FRAMES, AROUND_BINS)
    around = functional.avg_pool2d(product, [2 * side + 1 for side in sides], 1, sides, count_include_pad=True)
    found = torch.view_as_complex(around.movedim(1, -1).contiguous())
    return torch.where(found.abs() > 0, torch.sgn(found), 1.0)


def least_variation(noisy: Tensor, turned: Tensor, weight: float, steps: int = STEPS) -> Tensor:
    """Return the spectra (N, frames, bins) that are near to noisy ones and vary little.

    Args:
        noisy: Y (N, frames, bins).
        turned: u (N, frames - 1, bins), of magnitude 1.
        weight: lambda.
        steps: of the splitting; the error falls with their number.
    """
    found = ahead = noisy
    dual = torch.zeros_like(turned)
    step, dual_step = NORM**-0.5, NORM**-0.5
    for _ in range(steps):
        dual = dual + dual_step * (turned.conj() * ahead[:, 1:] - ahead[:, :-1])
        dual = dual / (dual.abs() / weight).clamp(min=1)
        back = functional.pad(turned * dual, (0, 0, 1, 0)) - functional.pad(dual, (0, 0, 0, 1))
        nearer = (found + step * (noisy - back)) / (1 + step)
        momentum = (1 + 2 * step) ** -0.5
        step, dual_step = step * momentum, dual_step / momentum
        found, ahead = nearer, nearer + momentum * (nearer - found)
    return found
