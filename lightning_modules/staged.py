"""Adversarial training in stages, such as an autoencoder first, and then what it is a loss for.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027) train the autoencoder of
their feature loss before the generator and its discriminator, and leave it as it is from then on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from torch import Tensor

from lightning_modules.base import Batch
from lightning_modules.callbacks.best_anew import forget_best
from lightning_modules.mugan import MUGANModule, MUGANSettings
from lightning_modules.training.gan_health import warn
from lightning_modules.training.stages import Stage, plan_stages, stage_at

JUDGES = {"adversarial": "discriminator", "feature_matching": "discriminator", "feature": "autoencoder"}
"""The network that each loss is a matter of."""


class StagedModule(MUGANModule):
    """Train as `MUGANModule` does, in every stage those networks that it names.

    A loss joins when its network has been trained or is about to be. The best checkpoint is chosen among the validations of the
    stages that train the generator. The epoch says which stage it is, so that a run goes on between two stages and within one.
    Schedules of learning rates count the epochs of the whole training.

    Args:
        stages: by name, in their order: `train`, names of networks (generator, discriminator, autoencoder), and `epochs`; None
            for the last one, which goes on to the end. A stage whose networks the weights of the losses leave out is skipped.
        mugan: as of `MUGANModule`, each an argument of its own.

    Raises:
        ValueError: if the stages are not such, and as `MUGANModule`.
    """

    def __init__(self, *, stages: Mapping[str, Mapping[str, Any]], **mugan: Unpack[MUGANSettings]) -> None:
        super().__init__(**mugan)
        self.stages = plan_stages(stages, tuple(self.networks))

    @property
    def stage(self) -> Stage:
        """The stage of the epoch in which a training is."""
        return stage_at(self.stages, self.current_epoch)

    def trains(self, network: str) -> bool:
        """Say whether there is such a network, which moves in this stage."""
        return network in self.stage.trains

    def prepare_training(self) -> None:
        """Check that every stage that trains the generator has what its warm-up rule watches."""
        super().prepare_training()
        for stage in self.stages:
            if "generator" in stage.trains:
                self.warm_up.check(stage.trains)

    def step_on(self, batches: Sequence[Batch]) -> None:
        """Step the networks of the stage on the batches of a step."""
        if self.trains("generator"):
            super().step_on(batches)
            return
        for batch in self.accumulation.parts(batches):
            is_judged = self.trains("discriminator")
            self.step_auxiliary_networks(batch, self.restored_as_it_is(batch) if is_judged else batch["corrupted"])

    def composite_terms(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Return the () adversarial and feature losses whose networks have been trained, or are."""
        moved = {network for stage in self.stages if stage.begins <= self.current_epoch for network in stage.trains}
        waiting = {*self.networks} - moved
        terms = super().composite_terms(batch, restored)
        return {name: term for name, term in terms.items() if JUDGES[name] not in waiting}

    def on_fit_start(self) -> None:
        """Say so if the training is to end before its last stage."""
        super().on_fit_start()
        epochs = self.trainer.max_epochs
        if epochs is not None and 0 < epochs <= self.stages[-1].begins:
            self._warn_of_end(epochs)

    def on_train_epoch_start(self) -> None:
        """Begin a stage; with the first that trains the generator, what was best before counts no more."""
        super().on_train_epoch_start()
        begin_of_generator = min(stage.begins for stage in self.stages if "generator" in stage.trains)
        if self.current_epoch == begin_of_generator > 0:
            forget_best(self.trainer)

    def on_train_end(self) -> None:
        """Say so if the last stage was never reached."""
        super().on_train_end()
        if 0 < self.trainer.current_epoch <= self.stages[-1].begins:
            self._warn_of_end(self.trainer.current_epoch)

    def _warn_of_end(self, epochs: int) -> None:
        last = self.stages[-1]
        trained = " and ".join(last.trains)
        warn([f"{epochs} epochs end before the stage {last.name}, which trains {trained} from epoch {last.begins + 1} on"])
