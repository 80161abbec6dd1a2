"""Networks that can be cut at a layer of their decoder, so that an activation can be changed without encoding again."""

from collections.abc import Callable

from torch import Tensor, nn

from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.restorer import StridedRestorer

Skips = list[tuple[Tensor, ...]]
"""What each up block takes beside its input, the innermost block first."""


class SplitNetwork(StridedRestorer):
    """Add a correction to a waveform: an encoder, up blocks that take skips from it, and a last layer.

    A subclass sets `multiple` and `up`, its up blocks, innermost first.
    """

    up: nn.ModuleList

    def encode(self, padded: Tensor) -> tuple[Tensor, Skips]:
        """Return the bottleneck's activation and the skips.

        Args:
            padded: (N, 1, T) with T a multiple of `multiple`.
        """
        raise NotImplementedError

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output to the correction (N, 1, T)."""
        raise NotImplementedError

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """All of it."""
        return (self,)

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        hidden, rest = self.split(corrupted, 0)
        return rest(hidden)

    def split(self, corrupted: Tensor, layer: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Run a part of the network; `rest` of the activation it returns is what `forward` returns, bit for bit.

        Args:
            corrupted: (B, C, T).
            layer: how many up blocks are run: 0 stops at the bottleneck, `len(up)` before the last layer, `len(up) + 1` at the
                restored signal itself.

        Returns:
            The activation (B * C, F, L), or (B, C, T) for the restored signal; and the rest of the network, from such an
            activation to the restored signal (B, C, T).

        Raises:
            ValueError: if there is no such layer.
        """
        if not 0 <= layer <= len(self.up) + 1:
            raise ValueError(f"layer={layer} must lie between 0, the bottleneck, and {len(self.up) + 1}, the restored signal")
        bottleneck, skips = self.encode(to_mono_batch(corrupted, self.multiple))

        def rest(hidden: Tensor) -> Tensor:
            return corrupted + from_mono_batch(self.finish(self._climb(hidden, skips, layer, len(self.up))), corrupted)

        if layer <= len(self.up):
            return self._climb(bottleneck, skips, 0, layer), rest
        features = self._climb(bottleneck, skips, 0, len(self.up))
        return corrupted + from_mono_batch(self.finish(features), corrupted), lambda restored: restored

    def _climb(self, features: Tensor, skips: Skips, first: int, end: int) -> Tensor:
        for up, skip in zip(self.up[first:end], skips[first:end], strict=True):
            features = up(features, *skip)
        return features
