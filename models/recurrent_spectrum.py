"""Log spectra restored by networks with a memory: a recurrent layer in the middle, or two of LSTMs at the end.

Maas, Le, O'Neil, Vinyals, Nguyen and Ng, "Recurrent neural networks for noise reduction in robust ASR" (Interspeech 2012): three
frames through three layers of 500 units, of which the second is recurrent, to the one in the middle. Their features are cepstra
for a recognizer; here they are log spectra that can be heard. Valentini-Botinhao, Wang, Takaki and Yamagishi, "Investigating
RNN-based speech enhancement methods for noise-robust text-to-speech" (SSW 2016): LSTMs on 87 numbers a frame, with the noisy
phase (RNN-DFT).
"""

from torch import Tensor, nn

from models.layers.counts import check_count, check_odd
from models.layers.log_frames import with_context
from models.layers.starting import zeroed
from models.spectral_restorer import SpectralRestorer


class RecurrentSpectrum(SpectralRestorer):
    """Restore frames one after another; a subclass builds `layers`, from frames with context to hidden units over time.

    Args:
        sample_rate: in Hz.
        hidden: units of a layer.
        context: frames that the first layer sees, odd.
        fft_samples: of the Hann window.
        hop_samples: from frame to frame, at most half a window.
        bands: of the mel scale; None restores every bin.

    Raises:
        SettingError: if a count is none, there is no frame in the middle, or a number does not fit the others.
    """

    def __init__(
        self,
        sample_rate: int,
        hidden: int = 500,
        context: int = 3,
        fft_samples: int = 512,
        hop_samples: int = 128,
        bands: int | None = None,
    ) -> None:
        super().__init__(sample_rate, fft_samples, hop_samples, bands)
        check_count("@hidden", hidden)
        check_odd("@context", context)
        self.context = context
        self.before, self.memory, self.after = self.layers(context * self.frames.size, hidden)
        last = nn.Linear(hidden, self.frames.size)
        self.last = zeroed(last) if self.corrects else last

    def layers(self, size: int, hidden: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Return what comes before the memory, the memory, and what comes after it, from `size` to `hidden` numbers."""
        raise NotImplementedError

    def enhanced(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to restored ones of the same shape."""
        rows = self.before(with_context(features, self.context).transpose(1, 2))  # (N, L, hidden)
        found: Tensor = self.last(self.after(self.memory(rows)[0])).transpose(1, 2)
        return features + found if self.corrects else found


class DRDAE(RecurrentSpectrum):
    """Three hidden layers, of which the second hears itself: h_2[t] = tanh(W h_1[t] + U h_2[t - 1] + b).

    A tanh in place of the published sigmoid computes the same functions, as sigma(x) = (1 + tanh(x / 2)) / 2 and all around it is
    affine. The arguments are those of `RecurrentSpectrum`.
    """

    def layers(self, size: int, hidden: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Return a sigmoid layer, a recurrent one and another sigmoid layer."""
        first, third = nn.Linear(size, hidden), nn.Linear(hidden, hidden)
        return nn.Sequential(first, nn.Sigmoid()), nn.RNN(hidden, hidden, batch_first=True), nn.Sequential(third, nn.Sigmoid())


class DRDAEPublished(DRDAE):
    """The same, giving the frames and no correction of them. The arguments are those of `RecurrentSpectrum`."""

    identity_at_start = False
    level_free = False  # but for rounding, which it may amplify above what it attenuates
    corrects = False


class RNNDFT(RecurrentSpectrum):
    """Two sigmoid layers and two of LSTMs. The arguments are those of `RecurrentSpectrum`."""

    def layers(self, size: int, hidden: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Return two sigmoid layers, two LSTMs one after the other, and nothing after them."""
        first, second = nn.Linear(size, hidden), nn.Linear(hidden, hidden)
        memory = nn.LSTM(hidden, hidden, num_layers=2, batch_first=True)
        return nn.Sequential(first, nn.Sigmoid(), second, nn.Sigmoid()), memory, nn.Identity()


class RNNDFTPublished(RNNDFT):
    """The same, giving the frames and no correction of them. The arguments are those of `RecurrentSpectrum`."""

    identity_at_start = False
    level_free = False  # but for rounding, which it may amplify above what it attenuates
    corrects = False
