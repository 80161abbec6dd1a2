"""Training one network on weighted reconstruction losses."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Required, TypedDict

from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from lightning_modules.base import DEFAULT_MONITOR, Batch, clip_grad_norm, require_finite
from lightning_modules.loss_network import open_loss_network
from lightning_modules.losses.reconstruction import ReconstructionLoss, weighted_sum
from lightning_modules.scheduled import ScheduledModule
from lightning_modules.training.optimizing import trained_parameters
from lightning_modules.training.schedules import as_list


class RegressionSettings(TypedDict, total=False):
    """The arguments of `RegressionModule`, for the recipes that add to them."""

    net: Required[nn.Module]
    sample_rate: Required[int]
    loss_weights: Required[Mapping[str, float]]
    optimizer: Required[Callable[[Iterable[nn.Parameter]], Optimizer]]
    scheduler: Callable[[Optimizer], Any] | None
    monitor: str
    gradient_clip_norm: float | None
    loss_network: str | None


class RegressionModule(ScheduledModule):
    """Minimize a weighted sum of reconstruction losses with one optimizer.

    Args:
        net: maps (B, C, T) to (B, C, T).
        sample_rate: in Hz.
        loss_weights: weight by loss name (l2, l1, log_mse, mr_stft, deep_feature); weight 0 = not computed.
        optimizer: from parameters to an optimizer.
        scheduler: from the optimizer to a learning-rate schedule, stepped once an epoch.
        monitor: the metric a plateau schedule watches.
        gradient_clip_norm: largest norm of the whole gradient; None leaves it alone.
        loss_network: the run whose classifier `deep_feature` compares by.

    Raises:
        ValueError: if a loss is unknown, or the norm is not positive.
    """

    composite_losses: tuple[str, ...] = ()
    """Terms that a subclass computes beside those of waveforms."""

    def __init__(
        self,
        net: nn.Module,
        sample_rate: int,
        loss_weights: Mapping[str, float],
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], Any] | None = None,
        monitor: str = DEFAULT_MONITOR,
        gradient_clip_norm: float | None = None,
        loss_network: str | None = None,
    ) -> None:
        super().__init__(net, sample_rate)
        if gradient_clip_norm is not None and gradient_clip_norm <= 0:
            raise ValueError(f"model.gradient_clip_norm={gradient_clip_norm} must be positive, or null to leave gradients alone")
        self.loss = ReconstructionLoss(loss_weights, beside=self.composite_losses)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.monitor = monitor
        self.gradient_clip_norm = gradient_clip_norm
        self.loss_network = loss_network

    def prepare_training(self) -> None:
        """Open what the loss compares by."""
        super().prepare_training()
        self.open_judges()

    def open_judges(self) -> None:
        """Take over the classifier that another run trained."""
        open_loss_network(self.loss, self.loss_network, self.sample_rate)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch and log its terms, unweighted, under `train/`."""
        restored = self.restore(batch["corrupted"])
        return self.total(self.loss.terms(restored, batch["clean"]), batch)

    def total(self, terms: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the weighted sum of the terms of a batch, () scalars by name; log it and them, unweighted, under `train/`.

        Raises:
            NonFiniteLossError: with the indices of the batch.
        """
        loss = require_finite(weighted_sum(terms, self.loss.weights), batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch["index"]))
        self.log_dict({f"train/{name}": term.detach() for name, term in terms.items()}, batch_size=len(batch["index"]))
        return loss

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Create the optimizer over the network's parameters, and its schedule if there is one."""
        return self.scheduled(self.optimizer(trained_parameters(self.net)))

    def scheduled(self, optimizer: Optimizer) -> OptimizerLRScheduler:
        """Return an optimizer with its schedule if there is one."""
        if self.scheduler is None:
            return optimizer
        schedule = {"scheduler": self.scheduler(optimizer), "monitor": self.monitor, "strict": False, "frequency": sys.maxsize}
        return {"optimizer": optimizer, "lr_scheduler": schedule}  # type: ignore[return-value]  # Lightning steps it never

    def on_train_epoch_start(self) -> None:
        """Log the epoch's rate."""
        self.log("lr", as_list(self.optimizers())[0].param_groups[0]["lr"])

    def on_train_epoch_end(self) -> None:
        """Tell the loss that an epoch has ended."""
        self.loss.end_epoch()
        super().on_train_epoch_end()

    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip by `gradient_clip_norm`, the one owner of this number, and stop before a step by a gradient that is not finite.

        Raises:
            NonFiniteLossError: with the indices of the batch.
        """
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        clip_grad_norm(parameters, self.gradient_clip_norm, self.batch_index)
