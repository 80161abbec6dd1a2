"""Which networks have a graph, and what is said of those that have none."""

from collections.abc import Callable, Mapping
from copy import deepcopy

from torch import Tensor, nn

from models.band_net import BandNet
from models.classical.noise_fill import NoiseFill
from models.classical.wiener import Wiener
from models.cold_diffusion import ColdDiffusionRNN
from models.conv_rnn import ConvRNN, ConvRNNPublished
from models.exporting.masking import MaskNetGraph
from models.exporting.refusal import NotExportableError
from models.exporting.spectrograms import MatrixSpectrogram
from models.exporting.streaming import StreamGraph
from models.mask_net import MaskNet
from models.mask_net_causal import MaskNetCausal
from models.mugan import MUGANGenerator
from models.unet import UNet, UNetPublished


class SignalGraph(nn.Module):
    """Restore signals (C, T) by a network for (B, C, T).

    Args:
        net: maps (B, C, T) to (B, C, T), without transforms and complex numbers.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, audio: Tensor) -> Tensor:
        """Map (C, T) to (C, T)."""
        restored: Tensor = self.net(audio[None])[0]
        return restored


def _recurrent(net: ConvRNN) -> nn.Module:
    copy = deepcopy(net)
    copy.spectrum = MatrixSpectrogram(net.spectrum)  # type: ignore[assignment]
    return copy


def _cold_diffusion(net: ColdDiffusionRNN) -> nn.Module:
    copy = deepcopy(net)
    copy.rnn.spectrum = MatrixSpectrogram(net.rnn.spectrum)  # type: ignore[assignment]
    return copy


SIGNALS: Mapping[type[nn.Module], Callable[..., nn.Module]] = {
    UNet: deepcopy,
    UNetPublished: deepcopy,
    MUGANGenerator: deepcopy,
    ConvRNN: _recurrent,
    ConvRNNPublished: _recurrent,
    ColdDiffusionRNN: _cold_diffusion,
    MaskNet: lambda net: MaskNetGraph(deepcopy(net)),
}
"""By class: from a network to what stands in for it."""
REASONS: Mapping[type[nn.Module], str] = {
    BandNet: "it finds the edge of the band in every segment, and does other work where there is none",
    NoiseFill: "it finds the edge of the band in every segment, and does other work where there is none",
    Wiener: "its gains follow from frame to frame, in a loop as long as the recording",
}


def graph_of(net: nn.Module) -> SignalGraph | StreamGraph:
    """Return what is written of a network: for whole signals or segments of them, or block by block.

    Raises:
        NotExportableError: naming the network, and why it has none.
    """
    kind = type(net)
    try:
        if isinstance(net, MaskNetCausal):
            return StreamGraph(deepcopy(net)).eval()
        if kind in SIGNALS:
            return SignalGraph(SIGNALS[kind](net)).eval()
    except NotExportableError as error:
        raise NotExportableError(f"{kind.__name__} cannot be exported: {error}") from error
    known = ", ".join(each.__name__ for each in (*SIGNALS, MaskNetCausal))
    raise NotExportableError(f"{kind.__name__} cannot be exported: {REASONS.get(kind, f'a graph is known of {known}')}")
