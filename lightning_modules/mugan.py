"""MU-GAN: reconstruction, adversarial and feature losses, the features being an autoencoder's.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027), section 3:
L_G = L_rec + lambda_f mean (phi(y) - phi(G(x)))^2 - lambda_adv log D(G(x)), phi the bottleneck of an autoencoder of clean
signals.
The modular GAN of Billotais/Denoising-with-Generative-Models is the same with other networks.
"""

from collections.abc import Callable
from typing import Required, Unpack

import torch
from torch import Tensor, nn

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.autoencoding import load_autoencoder
from lightning_modules.base import Batch
from lightning_modules.losses.reconstruction import l1, l2, log_mse
from lightning_modules.training.adversarial_settings import AdversarialSettings, OptimizerFactory
from lightning_modules.training.optimizing import Optimizing
from models.layers.setting_error import settings_under

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l2": l2, "l1": l1, "log_mse": log_mse}


class MUGANSettings(AdversarialSettings, total=False):
    """The arguments of `MUGANModule`, for the recipes that add to them."""

    autoencoder: Required[Callable[[], nn.Module]]
    autoencoder_optimizer: Required[OptimizerFactory]
    autoencoder_checkpoint: str | None
    autoencoder_loss: str
    feature_distance: str


class MUGANModule(AdversarialModule):
    """Train a generator on reconstruction, adversarial and feature losses, each switched by its weight.

    Args:
        autoencoder: creates A, with `encode` from (B, C, T) to features and `forward` from (B, C, T) to (B, C, T).
        autoencoder_optimizer: from parameters to an optimizer, for an autoencoder trained in this run.
        autoencoder_checkpoint: a run folder or checkpoint of `model=autoencoder`; None trains A in this run.
        autoencoder_loss: what A is trained on: l2 (published), l1 or log_mse.
        feature_distance: between features: l2 (published), l1 or log_mse.
        adversarial: as of `AdversarialModule`, each an argument of its own; loss_weights may name `feature` too.

    Raises:
        ValueError: if a distance is unknown, and as `AdversarialModule`.
    """

    composite_losses = (*AdversarialModule.composite_losses, "feature")

    def __init__(
        self,
        *,
        autoencoder: Callable[[], nn.Module],
        autoencoder_optimizer: OptimizerFactory,
        autoencoder_checkpoint: str | None = None,
        autoencoder_loss: str = "l2",
        feature_distance: str = "l2",
        **adversarial: Unpack[AdversarialSettings],
    ) -> None:
        super().__init__(**adversarial)
        self.autoencoder_loss = _distance("autoencoder_loss", autoencoder_loss)
        self.feature_distance = _distance("feature_distance", feature_distance)
        self.autoencoder_checkpoint = autoencoder_checkpoint
        with settings_under("model.autoencoder"):
            self.autoencoder = autoencoder() if self.uses("feature") else None
        if self.autoencoder is None:
            return
        if autoencoder_checkpoint is None:
            self.add_network("autoencoder", self.autoencoder, autoencoder_optimizer)
        else:
            self.autoencoder.requires_grad_(False)

    def prepare_training(self) -> None:
        """Load the autoencoder that another run trained."""
        super().prepare_training()
        if self.autoencoder is not None and self.autoencoder_checkpoint is not None:
            load_autoencoder(self.autoencoder, self.autoencoder_checkpoint, self.sample_rate)

    def hold(self) -> None:
        """Hold A too, which serves as a loss, so that its running statistics never move."""
        super().hold()
        if self.autoencoder is not None:
            self.autoencoder.eval()

    def step_auxiliary_networks(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Step D, and an autoencoder that is trained in this run."""
        losses = super().step_auxiliary_networks(batch, restored)
        if self.trains("autoencoder"):
            losses["autoencoder"] = self._step_autoencoder(self.networks["autoencoder"], batch)
        return losses

    def _step_autoencoder(self, autoencoder: nn.Module, batch: Batch) -> Tensor:
        autoencoder.train()
        super().hold()
        with Optimizing(self, "autoencoder", batch) as optimize:
            loss = self.autoencoder_loss(autoencoder(batch["clean"]).float(), batch["clean"])
            optimize(loss)
        autoencoder.eval()
        self.log("autoencoder/loss", loss.detach(), batch_size=batch["clean"].shape[0])
        return loss.detach()

    def composite_terms(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Return the () adversarial and feature losses in use."""
        terms = super().composite_terms(batch, restored)
        if self.autoencoder is not None:
            encode: Callable[[Tensor], Tensor] = self.autoencoder.encode  # type: ignore[assignment]
            with torch.no_grad():
                wanted = encode(batch["clean"]).float()
            terms["feature"] = self.feature_distance(encode(restored).float(), wanted)
        return terms


def _distance(key: str, name: str) -> Callable[[Tensor, Tensor], Tensor]:
    if name not in DISTANCES:
        raise ValueError(f"unknown model.{key}={name}; known: {', '.join(DISTANCES)}")
    return DISTANCES[name]
