"""The deep denoising autoencoder: patches of eleven log-mel frames through sigmoid layers whose weights lead in and out.

Lu, Tsao, Matsuda and Hori, "Speech enhancement based on deep denoising autoencoder" (Interspeech 2013): h = sigma(W x + b),
y = W^T h + c, stacked: an inner autoencoder restores what the one around it calls h. Layers are trained one by one at first.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_odd, check_positive
from models.layers.log_frames import with_context, without_context
from models.spectral_restorer import SpectralRestorer


class TiedLayer(nn.Module):
    """An autoencoder of a layer: a sigmoid of W x + b, and back by W^T h + c.

    Args:
        size: of x.
        hidden: of h.
    """

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(hidden, size)))
        self.into, self.out = nn.Parameter(torch.zeros(hidden)), nn.Parameter(torch.zeros(size))

    def encode(self, given: Tensor) -> Tensor:
        """Map (N, size, L) to (N, hidden, L)."""
        return torch.sigmoid(functional.conv1d(given, self.weight[..., None], self.into))

    def decode(self, hidden: Tensor) -> Tensor:
        """Map (N, hidden, L) to (N, size, L), before any sigmoid."""
        return functional.conv1d(hidden, self.weight.T[..., None], self.out)


class DDAE(SpectralRestorer):
    """Restore patches of frames, whose means are the frames; each feature moves as far as a learned share, 0 at first.

    Args:
        sample_rate: in Hz.
        hidden: units of each layer, outermost first.
        context: frames of a patch, odd.
        fft_samples: of the Hann window.
        hop_samples: from frame to frame, at most half a window.
        bands: of the mel scale; None restores every bin.

    Raises:
        SettingError: if there is no layer, a patch has no middle, or a number does not fit the others.
    """

    def __init__(
        self,
        sample_rate: int,
        hidden: Sequence[int] = (300, 300, 300),
        context: int = 11,
        fft_samples: int = 256,
        hop_samples: int = 128,
        bands: int | None = 40,
    ) -> None:
        super().__init__(sample_rate, fft_samples, hop_samples, bands)
        check_positive(hidden, "@hidden")
        check_odd("@context", context)
        self.context = context
        sizes = (context * self.frames.size, *hidden)
        self.layers = nn.ModuleList(TiedLayer(size, units) for size, units in zip(sizes, hidden, strict=False))
        self.pretrained_layers = len(hidden)
        self.share = nn.Parameter(torch.zeros(self.frames.size, 1))

    @property
    def stack(self) -> list[TiedLayer]:
        """The layers, outermost first."""
        return [cast(TiedLayer, layer) for layer in self.layers]

    def enhanced(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to restored ones of the same shape."""
        return features + self.share * (self.decoded(features) - features)

    def decoded(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to what the autoencoders make of them."""
        hidden = self.encoded(features, len(self.layers))
        for layer in reversed(self.stack[1:]):
            hidden = torch.sigmoid(layer.decode(hidden))
        return without_context(self.stack[0].decode(hidden), self.context)

    def encoded(self, features: Tensor, layers: int) -> Tensor:
        """Return what goes out of so many layers, (N, units, L), of features (N, D, L)."""
        hidden = with_context(features, self.context)
        for layer in self.stack[:layers]:
            hidden = layer.encode(hidden)
        return hidden

    def layer_error(self, layer: int, noisy: Tensor, clean: Tensor) -> Tensor:
        """Return the () squared error of a layer that is to make of what it is given of noisy features what it is of clean ones.

        Args:
            layer: its number, from 0, the outermost.
            noisy: features (N, D, L).
            clean: features (N, D, L).
        """
        with torch.no_grad():
            given, wanted = self.encoded(noisy, layer), self.encoded(clean, layer)
        one = self.stack[layer]
        decoded = one.decode(one.encode(given))
        made = torch.sigmoid(decoded) if layer else decoded
        return (made.float() - wanted.float()).square().mean()


class DDAEPublished(DDAE):
    """The published network: what the autoencoders make of a patch is what is restored. The arguments are those of `DDAE`."""

    identity_at_start = False
    level_free = False  # but for rounding, which it may amplify above what it attenuates
    corrects = False

    def __init__(
        self,
        sample_rate: int,
        hidden: Sequence[int] = (300, 300, 300),
        context: int = 11,
        fft_samples: int = 256,
        hop_samples: int = 128,
        bands: int | None = 40,
    ) -> None:
        super().__init__(sample_rate, hidden, context, fft_samples, hop_samples, bands)
        del self.share

    def enhanced(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to restored ones of the same shape."""
        return self.decoded(features)
