"""Adversarial training: a discriminator learns to tell clean from restored, and the generator to restore so that it cannot.

L_G = L_rec + w (lambda_adv L_adv + lambda_fm L_fm + the subclass's terms), with w from the warm-up rule. Every batch: one forward
pass of G, a step of D on its detached output, then, if it is its turn, a step of G against the D just improved.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from lightning_modules.base import DEFAULT_MONITOR, Batch
from lightning_modules.loss_network import open_loss_network
from lightning_modules.losses.adversarial import feature_matching, find_adversary, gradient_penalty, r1_penalty
from lightning_modules.losses.reconstruction import RECONSTRUCTION_LOSSES, ReconstructionLoss, check_names, weighted_sum
from lightning_modules.scheduled import ScheduledModule
from lightning_modules.training.accumulating import Accumulation
from lightning_modules.training.adversarial_settings import OptimizerFactory, ScheduleFactory
from lightning_modules.training.balance import Balance, Weights
from lightning_modules.training.draws import generator_of, own_rows
from lightning_modules.training.gan_health import HealthReport, gradient_shares, warn
from lightning_modules.training.optimizing import Optimizing, forward_without_buffer_updates, trained_parameters
from lightning_modules.training.schedules import as_list
from lightning_modules.training.settings import check_penalized, checked_names, checked_norms, checked_penalties, checked_weights
from lightning_modules.training.warm_up import AfterSteps, WarmUp
from models.layers.counts import check_count
from models.layers.setting_error import settings_under


class AdversarialModule(ScheduledModule):
    """Train a generator on reconstruction and adversarial losses.

    Args:
        net: the generator, maps (B, C, T) to (B, C, T).
        sample_rate: in Hz.
        loss_weights: weight by name: the reconstruction losses, adversarial, feature_matching; 0 = not computed. Where the last
            two are 0 there is no discriminator.
        discriminator: creates D, which maps signals and corrupted signals (B, C, T) to its logits and inner activations.
        generator_optimizer: from parameters to an optimizer.
        discriminator_optimizer: from parameters to an optimizer.
        adversary: bce, bce_half, lsgan or hinge.
        penalty_weights: of r1 and gradient_penalty in D's loss; 0 = not computed.
        discriminator_steps: D steps per G step, each on a batch of its own; counted over epochs.
        warm_up: when the other losses join the reconstruction loss.
        balance: how the terms are weighed against each other; None is by their weights.
        schedulers: from an optimizer to a learning-rate schedule, by network (generator, discriminator, ...).
        gradient_clip_norms: largest gradient norm, by network; None leaves it alone.
        accumulate_batches: whose gradients are added up for every step; see `Accumulation`.
        monitor: the metric that plateau schedules watch.
        loss_network: the run whose classifier `deep_feature` compares by.

    Raises:
        ValueError: if a loss, penalty, network or adversary is unknown, a number is out of range, or a penalty on the gradient
            meets batch normalization, under which examples have no gradient of their own.
    """

    composite_losses: tuple[str, ...] = ("adversarial", "feature_matching")
    precisions = ("bf16-mixed", "32-true")  # float16 needs loss scaling, which belongs to one optimizer

    def __init__(
        self,
        net: nn.Module,
        sample_rate: int,
        loss_weights: Mapping[str, float],
        discriminator: Callable[[], nn.Module],
        generator_optimizer: OptimizerFactory,
        discriminator_optimizer: OptimizerFactory,
        adversary: str = "bce",
        penalty_weights: Mapping[str, float] | None = None,
        discriminator_steps: int = 1,
        warm_up: WarmUp | None = None,
        balance: Balance | None = None,
        schedulers: Mapping[str, ScheduleFactory | None] | None = None,
        gradient_clip_norms: Mapping[str, float | None] | None = None,
        accumulate_batches: int = 1,
        monitor: str = DEFAULT_MONITOR,
        loss_network: str | None = None,
    ) -> None:
        super().__init__(net, sample_rate)
        self.automatic_optimization = False
        check_names(loss_weights, (*RECONSTRUCTION_LOSSES, *self.composite_losses))
        self.loss_weights = checked_weights("loss_weights", loss_weights)
        self.reconstruction = ReconstructionLoss({name: self.loss_weights.get(name, 0.0) for name in RECONSTRUCTION_LOSSES})
        self.adversary = find_adversary(adversary)
        self.penalty_weights = checked_penalties(penalty_weights or {})
        check_count("model.discriminator_steps", discriminator_steps)
        self.discriminator_steps, self.batches_taken = discriminator_steps, 0
        self.accumulation = Accumulation(accumulate_batches)
        self.warm_up, self.balance = warm_up or AfterSteps(), balance or Weights()
        self.optimizer_factories = {"generator": generator_optimizer}
        self.networks = {"generator": net}  # a plain dict: the modules are registered under names of their own
        with settings_under("model.discriminator"):
            self.discriminator = discriminator() if self.uses("adversarial", "feature_matching") else None
        if self.discriminator is not None:
            self.add_network("discriminator", self.discriminator, discriminator_optimizer)
            check_penalized(self.discriminator, self.penalty_weights)
        self.schedulers = checked_names("schedulers", schedulers or {})
        self.gradient_clip_norms = checked_norms(gradient_clip_norms or {})
        self.monitor, self.loss_network = monitor, loss_network
        self.health = HealthReport()

    def prepare_training(self) -> None:
        """Check that the warm-up rule watches a network of this run, and open what the loss compares by."""
        super().prepare_training()
        open_loss_network(self.reconstruction, self.loss_network, self.sample_rate)
        self.warm_up.check(tuple(self.networks))

    def uses(self, *losses: str) -> bool:
        """Say whether one of these losses has a weight above 0."""
        return any(self.loss_weights.get(name, 0.0) > 0 for name in losses)

    def trains(self, network: str) -> bool:
        """Say whether there is such a network in this run, which moves."""
        return network in self.networks

    def add_network(self, name: str, network: nn.Module, optimizer: OptimizerFactory) -> None:
        """Train another network in this run, with an optimizer of its own; it must also be registered as a submodule."""
        self.networks[name] = network
        self.optimizer_factories[name] = optimizer

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """See the base class; a discriminator too, unless a penalty needs the gradient of its gradient, which torch refuses."""
        is_penalized = any(weight > 0 for weight in self.penalty_weights.values())
        judges = () if self.discriminator is None or is_penalized else (self.discriminator,)
        return (*super().compiled_parts, *judges)

    @property
    def is_between_steps(self) -> bool:
        """See the base class."""
        return self.accumulation.is_complete

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Step on this batch and those that have waited for it, or let it wait."""
        if batches := self.accumulation.add(batch, lambda: self.trainer.is_last_batch):
            self.step_on(batches)

    def step_on(self, batches: Sequence[Batch]) -> None:
        """Step the other networks on the batches of a step, then, if it is its turn, the generator; else nothing of it moves."""
        self.batches_taken += 1
        turn, alone = self.batches_taken % self.discriminator_steps == 0, len(batches) == 1
        losses: dict[str, Tensor] = {}
        for batch in self.accumulation.parts(batches):
            restored = self.net(batch["corrupted"]).float() if turn and alone else self.restored_as_it_is(batch)
            for name, loss in self.step_auxiliary_networks(batch, restored.detach()).items():
                losses[name] = losses.get(name, 0) + self.accumulation.share * loss
        if not turn:
            return
        warm_up = self.warm_up(self._awaited(losses))
        for batch in self.accumulation.parts(batches):
            self._step_generator(batch, restored if alone else self.net(batch["corrupted"]).float(), warm_up)

    def restored_as_it_is(self, batch: Batch) -> Tensor:
        """Return what the generator restores of a batch, (B, C, T), without a graph or a trace in its statistics."""
        with torch.no_grad():
            restored: Tensor = forward_without_buffer_updates(self.net, batch["corrupted"])
        return restored.float()

    def step_auxiliary_networks(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Step every network but the generator.

        Args:
            batch: of training pairs.
            restored: (B, C, T) detached output of the generator.

        Returns:
            () loss by network.
        """
        if self.discriminator is None or not self.trains("discriminator"):
            return {}
        return {"discriminator": self._step_discriminator(self.discriminator, batch, restored)}

    def _step_discriminator(self, discriminator: nn.Module, batch: Batch, restored: Tensor) -> Tensor:
        clean, corrupted = batch["clean"], batch["corrupted"]
        with Optimizing(self, "discriminator", batch) as optimize:
            of_clean, of_restored = (discriminator(signal, corrupted)[0].float() for signal in (clean, restored))
            loss = self.adversary.discriminator(of_clean, of_restored)
            penalties = self._penalties(discriminator, batch, restored)
            optimize(loss + sum(self.penalty_weights[name] * penalty for name, penalty in penalties.items()))
        accuracies = {
            "accuracy_clean": (of_clean > self.adversary.threshold).float().mean(),
            "accuracy_restored": (of_restored <= self.adversary.threshold).float().mean(),
        }
        self.health.add(accuracies)
        self._log({f"discriminator/{name}": value for name, value in {"loss": loss, **penalties, **accuracies}.items()}, batch)
        return loss.detach()

    def _penalties(self, discriminator: nn.Module, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        def judge(signals: Tensor) -> Tensor:
            logits: Tensor = discriminator(signals, batch["corrupted"])[0]
            return logits

        penalties = {}
        if self.penalty_weights.get("r1", 0.0) > 0:
            penalties["r1"] = r1_penalty(judge, batch["clean"])
        if self.penalty_weights.get("gradient_penalty", 0.0) > 0:
            draw = generator_of(self.seed, "gradient_penalty", batch["index"])
            shares = own_rows(lambda rows: torch.rand((rows, 1, 1), generator=draw), len(restored)).to(restored.device)
            penalties["gradient_penalty"] = gradient_penalty(judge, batch["clean"], restored, shares)
        return penalties

    def _step_generator(self, batch: Batch, restored: Tensor, warm_up: float) -> None:
        with Optimizing(self, "generator", batch) as optimize:
            terms = self.reconstruction.terms(restored, batch["clean"])
            weights = {name: self.loss_weights[name] for name in terms}
            if warm_up > 0:
                composite = self.composite_terms(batch, restored)
                terms |= composite
                weights |= {name: warm_up * self.loss_weights[name] for name in composite}
            weights = self.balance(terms, weights, restored, self._over_processes)
            weighted = {name: weights[name] * term for name, term in terms.items()}
            if self._shares_are_due():
                self._log_shares(weighted, batch, warm_up)
            loss = weighted_sum(terms, weights)
            optimize(loss)
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=restored.shape[0])
        self._log({f"train/{name}": term for name, term in terms.items()}, batch)
        self._log({f"train/weighted_{name}": term for name, term in weighted.items()}, batch)
        self.log("train/warm_up", warm_up, batch_size=restored.shape[0])

    def composite_terms(self, batch: Batch, restored: Tensor) -> dict[str, Tensor]:
        """Return the unweighted () losses in use beside the reconstruction; D judges without being changed by it.

        Args:
            batch: of training pairs.
            restored: (B, C, T) with its graph to the generator.
        """
        if self.discriminator is None:
            return {}
        logits, activations = forward_without_buffer_updates(self.discriminator, restored, batch["corrupted"])
        terms = {}
        if self.uses("adversarial"):
            terms["adversarial"] = self.adversary.generator(logits.float())
        if self.uses("feature_matching"):
            with torch.no_grad():
                wanted = forward_without_buffer_updates(self.discriminator, batch["clean"], batch["corrupted"])[1]
            terms["feature_matching"] = feature_matching(
                [layer.float() for layer in wanted], [layer.float() for layer in activations]
            )
        return terms

    def _shares_are_due(self) -> bool:
        """Say whether this is the generator's first step, or a multiple of `trainer.log_every_n_steps` later; 0 is never."""
        interval: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return interval > 0 and (self.batches_taken // self.discriminator_steps - 1) % interval == 0

    def _log_shares(self, weighted: Mapping[str, Tensor], batch: Batch, warm_up: float) -> None:
        shares = {f"share_{name}": share for name, share in gradient_shares(weighted, self.net).items()}
        if warm_up == 1:  # before, the terms are not what they are meant to be
            self.health.add(shares)
        self._log({f"gradient/{name}": share for name, share in shares.items()}, batch)

    def _awaited(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Average the losses that decide the warm-up over the processes, so that it starts in all of them at once."""
        return {name: self._over_processes(losses[name]) for name in self.warm_up.depends_on()}

    def _over_processes(self, values: Tensor) -> Tensor:
        return self.trainer.strategy.reduce(values, reduce_op="mean")

    def _log(self, values: Mapping[str, Tensor], batch: Batch) -> None:
        detached = {name: value.detach() for name, value in values.items()}
        self.log_dict(detached, batch_size=batch["clean"].shape[0])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Create one optimizer per network, and its schedule if there is one."""
        configured = []
        for name, network in self.networks.items():
            optimizer = self.optimizer_factories[name](trained_parameters(network))
            schedule = self.schedulers.get(name)
            configured.append({"optimizer": optimizer} | ({"lr_scheduler": schedule(optimizer)} if schedule else {}))
        return tuple(configured)  # type: ignore[return-value]

    def on_fit_start(self) -> None:
        """Check the precision also where no script did before."""
        self.check_precision(str(self.trainer.precision))

    def on_train_epoch_start(self) -> None:
        """Log the epoch's rates."""
        for name, optimizer in zip(self.networks, as_list(self.optimizers()), strict=True):
            self.log(f"lr/{name}", optimizer.param_groups[0]["lr"])

    def on_train_epoch_end(self) -> None:
        """Say what is wrong with the epoch."""
        super().on_train_epoch_end()
        self.reconstruction.end_epoch()
        self.health.close_epoch(self._over_processes)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Count the step."""
        super().on_train_batch_end(outputs, batch, batch_idx)
        self.health.steps += 1

    def on_train_end(self) -> None:
        """Say so if the generator was never trained."""
        if 0 < self.batches_taken < self.discriminator_steps:
            steps = f"model.discriminator_steps={self.discriminator_steps}"
            warn([f"the generator was never trained: {steps}, and the run had {self.batches_taken} batches"])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep whose turn it is."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["batches_taken"] = self.batches_taken

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the network whose turn it is."""
        self.batches_taken = checkpoint["batches_taken"]
