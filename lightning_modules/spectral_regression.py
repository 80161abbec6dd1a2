"""Regression on log spectra: what a network makes of a noisy frame is to be the clean one; layers one by one first, if wanted."""

from typing import Unpack

from torch import Tensor

from lightning_modules.base import Batch
from lightning_modules.callbacks.best_anew import forget_best
from lightning_modules.regression import RegressionModule, RegressionSettings
from lightning_modules.training.gan_health import warn
from lightning_modules.training.stages import plan_stages, stage_at
from models.layers.counts import check_count
from models.spectral_restorer import SpectralRestorer
from models.splice import SPLICE

WHOLE = "whole"


class SpectralRegression(RegressionModule):
    """Minimize a weighted sum of the error of log spectra and of losses of waveforms.

    With `pretraining_epochs` the layers of the network are trained one by one first, each in a stage of its own, as denoising
    autoencoders of what the layers before it give; then all of them together, to the end. The epoch says which stage it is.

    Args:
        net: a network on log spectra; loss_weights may name `log_spectrum`, the squared error of its features, too.
        pretraining_epochs: of each layer; 0 trains all of them at once.
        regression: as of `RegressionModule`, each an argument of its own.

    Raises:
        ValueError: if layers are to be trained one by one that cannot be, or without the loss they are trained by; and as
            `RegressionModule`.
    """

    net: SpectralRestorer
    composite_losses: tuple[str, ...] = ("log_spectrum",)

    def __init__(self, *, pretraining_epochs: int = 0, **regression: Unpack[RegressionSettings]) -> None:
        super().__init__(**regression)
        check_count("model.pretraining_epochs", pretraining_epochs, 0)
        layers = [f"layer {number + 1}" for number in range(self.net.pretrained_layers)] if pretraining_epochs else []
        if pretraining_epochs and not (layers and self.loss.weights.get("log_spectrum", 0.0) > 0):
            needs = "a network with layers that can be trained one by one, and model.loss_weights.log_spectrum above 0"
            raise ValueError(f"model.pretraining_epochs={pretraining_epochs} needs {needs}; set it to 0")
        alone = {name: {"train": [name], "epochs": pretraining_epochs} for name in layers}
        self.stages = plan_stages({**alone, WHOLE: {"train": [*layers, WHOLE], "epochs": None}}, [*layers, WHOLE])

    @property
    def layer(self) -> int | None:
        """The layer that is trained by itself in this epoch, from 0; None: all of them."""
        number = self.stages.index(stage_at(self.stages, self.current_epoch))
        return number if number < len(self.stages) - 1 else None

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch and log its terms, unweighted, under `train/`."""
        noisy, clean = self.net.features_of(batch["corrupted"], batch["clean"])  # (N, D, L)
        if self.layer is not None:
            return self.total({"log_spectrum": self.net.layer_error(self.layer, noisy, clean)}, batch)
        waveforms = any(weight > 0 for name, weight in self.loss.weights.items() if name not in self.composite_losses)
        terms = self.loss.terms(self.restore(batch["corrupted"]), batch["clean"]) if waveforms else {}
        return self.total({**terms, **self.spectral_terms(noisy, clean)}, batch)

    def spectral_terms(self, noisy: Tensor, clean: Tensor) -> dict[str, Tensor]:
        """Return the () terms, by name, of features (N, D, L) that have a weight."""
        if self.loss.weights.get("log_spectrum", 0.0) > 0:
            return {"log_spectrum": (self.net.enhanced(noisy).float() - clean).square().mean()}
        return {}

    def on_fit_start(self) -> None:
        """Say so if the training is to end before all layers are trained together."""
        super().on_fit_start()
        begins, epochs = self.stages[-1].begins, self.trainer.max_epochs
        if epochs is not None and 0 < epochs <= begins:
            warn([f"{epochs} epochs end before all layers are trained together, from epoch {begins + 1} on"])

    def on_train_epoch_start(self) -> None:
        """With the first epoch of the whole network, what was best before counts no more."""
        super().on_train_epoch_start()
        if self.current_epoch == self.stages[-1].begins > 0:
            forget_best(self.trainer)


class MixtureRegression(SpectralRegression):
    """Move the statistics of a mixture towards those of every batch, from those of the first one.

    The arguments are those of `SpectralRegression`; loss_weights may name `statistics`, too; a weight of 1 makes the rate
    of plain descent the step of online EM.
    """

    net: SPLICE
    composite_losses = ("log_spectrum", "statistics")

    def spectral_terms(self, noisy: Tensor, clean: Tensor) -> dict[str, Tensor]:
        """Return the () terms, by name, of features (N, D, L) that have a weight; before the first, learn these by themselves."""
        if not self.net.started:
            self.net.start(*(self._of_all_devices(features) for features in (noisy, clean)))
        terms = super().spectral_terms(noisy, clean)
        if self.loss.weights.get("statistics", 0.0) > 0:
            terms["statistics"] = self.net.statistics_error(noisy, clean)
        return terms

    def _of_all_devices(self, features: Tensor) -> Tensor:
        gathered = self.all_gather(features)
        assert isinstance(gathered, Tensor)
        return gathered.reshape(-1, *features.shape[1:])


class CleanSpectralRegression(SpectralRegression):
    """Train to reproduce clean signals, so that what is not speech does not come through (Lu, Matsuda, Hori and Kashioka, 2012).

    The arguments are those of `SpectralRegression`.
    """

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch of clean signals."""
        return super().training_step({**batch, "corrupted": batch["clean"]}, batch_idx)
