"""The modular GAN as Billotais/Denoising-with-Generative-Models trains it: each network's schedule follows its own loss.

L_G = L_rec + lambda_gan BCE(D(G(x)), 1) + lambda_ae L_rec(phi(y), phi(G(x))) and L_D = (BCE(D(y), 1) + BCE(D(G(x)), 0)) / 2 are
those of `MUGANModule` with adversary=bce_half. The rest is here. On the validation pairs L_rec steps the plateau schedule of the
generator, and L_D that of the discriminator, as often as there is a validation (there: every 50 batches).

There, L_D of validation knows restored signals only, and normalizes by them; here it is the L_D of training, with the statistics
that training has gathered.
"""

from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lightning_modules.base import Batch
from lightning_modules.losses.reconstruction import weighted_sum
from lightning_modules.mugan import MUGANModule
from lightning_modules.training.schedules import as_list, step_plateaus

WATCHED = {"generator": "generator/val_loss", "discriminator": "discriminator/val_loss"}
"""What the plateau schedule of a network watches."""


class ModularGANModule(MUGANModule):
    """Train as `MUGANModule` does, with plateau schedules that watch the losses of validation in place of a metric."""

    def on_fit_start(self) -> None:
        """Refuse a plateau schedule that waits for a loss to rise.

        Raises:
            ValueError: naming its key.
        """
        super().on_fit_start()
        for name, schedule in self._scheduled():
            if name in WATCHED and isinstance(schedule, ReduceLROnPlateau) and schedule.mode != "min":
                raise ValueError(f"model.schedulers.{name}.mode={schedule.mode} must be min: what is watched is a loss")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score one batch of validation pairs, and take the losses of both players."""
        restored = self.restore_pair(batch["corrupted"], batch["clean"])
        self._score(batch, restored, "val")
        for name, loss in self.validation_losses(batch, restored).items():
            self.log(WATCHED[name], loss, on_step=False, on_epoch=True, batch_size=restored.shape[0])

    def validation_losses(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Return the () losses of the players, of the generator that of reconstruction alone.

        Args:
            batch: of pairs.
            restored: (B, C, T).
        """
        terms = self.reconstruction.terms(restored, batch["clean"])
        losses = {"generator": weighted_sum(terms, {name: self.loss_weights[name] for name in terms})}
        if self.discriminator is not None:
            of_clean, of_restored = (
                self.discriminator(signal, batch["corrupted"])[0].float() for signal in (batch["clean"], restored)
            )
            losses["discriminator"] = self.adversary.discriminator(of_clean, of_restored)
        return losses

    def on_validation_epoch_end(self) -> None:
        """Step the plateau schedules."""
        for name, schedule in self._scheduled():
            step_plateaus([schedule], self.trainer, WATCHED.get(name, self.monitor))

    def _scheduled(self) -> list[tuple[str, object]]:
        """Return the networks that have a schedule, with it; none outside of a training."""
        names = [name for name in self.networks if self.schedulers.get(name)]
        return list(zip(names, as_list(self.lr_schedulers()), strict=False))
