"""How far two signals are apart for a network that was trained to tell what sounds are.

Germain, Chen and Koltun (arXiv 1806.10522), equation 2: the sum over the first layers m of mean |F_m(x) - F_m(y)| / w_m. w_m is 1
for ten epochs, and from then on the mean of term m over the tenth.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lightning_modules.modes import eval_mode
from models.layers.classifying import Classifier

LAYERS = 6
WEIGHED_AFTER_EPOCHS = 10
LEAST = 1e-8
"""Of a mean that terms are divided by."""


class DeepFeatureLoss(nn.Module):
    """Compare signals by the first six layers of a network, which itself is not moved and is no part of the weights.

    Attributes:
        judge: the network; None until there is one.
        scales: w_m, (6,).
    """

    scales: Tensor
    sums: Tensor
    batches: Tensor
    epochs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._judges: list[Classifier] = []  # a plain list: its weights belong to the run that trained it
        self.register_buffer("scales", torch.ones(LAYERS))
        self.register_buffer("sums", torch.zeros(LAYERS))
        self.register_buffer("batches", torch.zeros(()))
        self.register_buffer("epochs", torch.zeros(()))

    def ask(self, judge: Classifier) -> None:
        """Compare by this network from now on."""
        self._judges = [judge]

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Return the distance of (B, C, T) from (B, C, T), a () scalar.

        Raises:
            ValueError: if there is no network to compare by.
        """
        if not self._judges:
            raise ValueError("model.loss_weights.deep_feature needs model.loss_network, a run of model=deep_feature")
        judge = self._judges[0].to(restored.device)
        with eval_mode(judge), _unmoved(judge):
            found, wanted = (judge.features(signal, LAYERS) for signal in (restored, clean))
        distances = torch.stack([(one - other).abs().mean() for one, other in zip(found, wanted, strict=True)])
        self.sums += distances.detach()
        self.batches += 1
        return (distances / self.scales).sum()

    def end_epoch(self) -> None:
        """Count an epoch in which signals were compared; the tenth says what each layer is divided by."""
        if self.batches == 0:
            return
        self.epochs += 1
        if self.epochs == WEIGHED_AFTER_EPOCHS:
            self.scales.copy_((self.sums / self.batches).clamp(min=LEAST))
        self.sums.zero_()
        self.batches.zero_()


@contextmanager
def _unmoved(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network for a while, and reach none of its weights."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
