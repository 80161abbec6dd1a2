"""A denoiser that is compared in the features of a network, which is first trained to tell what sounds are.

Germain, Chen and Koltun, "Speech denoising with deep feature losses" (arXiv 1806.10522).
"""

from collections.abc import Callable, Mapping
from typing import Any, Unpack

import torch
from torch import Tensor

from lightning_modules.base import Batch
from lightning_modules.callbacks.best_anew import forget_best
from lightning_modules.regression import RegressionModule, RegressionSettings
from lightning_modules.training.gan_health import warn
from lightning_modules.training.optimizing import trained_parameters
from lightning_modules.training.stages import Stage, plan_stages, stage_at
from models.dilated_denoiser import label_error
from models.layers.classifying import Classifier
from models.layers.setting_error import settings_under


class DeepFeatureModule(RegressionModule):
    """Train a classifier on labels of the data, and then the network on a distance of the classifier's features.

    The labels are kind, source and speaker of a recording; batches take them in turn. The epoch says which stage it is.

    Args:
        classifier: creates the classifier.
        stages: by name, in their order: `train`, names of networks (net, classifier), and `epochs`; None for the last one.
        regression: as of `RegressionModule`; loss_weights may name `labels`, the classifier's cross entropy, too. With
            `loss_network` the classifier of another run is asked and none is trained.

    Raises:
        ValueError: if the stages are not such, and as `RegressionModule`.
    """

    composite_losses = ("labels",)

    def __init__(
        self,
        *,
        classifier: Callable[[], Classifier],
        stages: Mapping[str, Mapping[str, Any]],
        **regression: Unpack[RegressionSettings],
    ) -> None:
        super().__init__(**regression)
        with settings_under("model.classifier"):
            self.classifier = classifier() if self.loss_network is None else None
        networks = ("net",) if self.classifier is None else ("net", "classifier")
        self.stages = plan_stages(stages, networks)
        if self.classifier is not None and self.loss.deep_feature is not None:
            self.loss.deep_feature.ask(self.classifier)

    @property
    def needs_labels(self) -> bool:
        """Whether a classifier is trained."""
        return self.classifier is not None

    @property
    def stage(self) -> Stage:
        """The stage of the epoch in which a training is."""
        return stage_at(self.stages, self.current_epoch)

    def open_judges(self) -> None:
        """Take a classifier from another run, unless one is trained in this."""
        if self.classifier is None:
            super().open_judges()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch and log its terms, unweighted, under `train/`."""
        terms: dict[str, Tensor] = {}
        if "net" in self.stage.trains:
            terms |= self.loss.terms(self.restore(batch["corrupted"]), batch["clean"])
        if self.classifier is not None and "classifier" in self.stage.trains:
            task = batch_idx % self.classifier.tasks
            terms["labels"] = label_error(self.classifier(batch["clean"], task), self._labels(batch, task))
        return self.total(terms, batch)

    def _labels(self, batch: Batch, task: int) -> Tensor:
        """Return the labels (B,) of a task; those beyond what the classifier knows are as if there were none.

        Raises:
            ValueError: if the data have none.
        """
        if "labels" not in batch:
            raise ValueError("model=deep_feature trains a classifier on labels, and the data offer none; give model.loss_network")
        labels = batch["labels"][:, task]
        assert self.classifier is not None
        return torch.where(labels < self.classifier.classes, labels, -1)

    def configure_optimizers(self) -> Any:
        """Create the optimizer over both networks, and its schedule if there is one."""
        return self.scheduled(self.optimizer(trained_parameters(self)))

    def on_fit_start(self) -> None:
        """Say so if the training is to end before the network is trained."""
        super().on_fit_start()
        begins, epochs = self.begin_of_net, self.trainer.max_epochs
        if epochs is not None and 0 < epochs <= begins:
            warn([f"{epochs} epochs end before the network itself is trained, from epoch {begins + 1} on"])

    @property
    def begin_of_net(self) -> int:
        """The first epoch that trains the network, from 0."""
        return min(stage.begins for stage in self.stages if "net" in stage.trains)

    def on_train_epoch_start(self) -> None:
        """With the first epoch that trains the network, what was best before counts no more."""
        super().on_train_epoch_start()
        if self.current_epoch == self.begin_of_net > 0:
            forget_best(self.trainer)
