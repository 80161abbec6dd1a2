"""The collaborative GAN: a discriminator that has learned to judge also improves what the generator restores, at test time.

Liu, Kothari and Alahi, "Collaborative sampling in generative adversarial networks" (arXiv 1902.00813). Training is adversarial at
first; then G stays as it is and D is shaped: it learns to tell clean signals from refined ones of every degree, so that its
gradient leads towards clean signals and not to whatever pleases it.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Unpack, cast

import torch
from torch import Tensor, nn

from lightning_modules.base import Batch
from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.callbacks.budget import is_cut_short
from lightning_modules.modes import eval_mode
from lightning_modules.mugan import MUGANModule, MUGANSettings
from lightning_modules.runs.starting import check_rate, open_origin
from lightning_modules.stepwise import StepSized
from lightning_modules.training.draws import generator_of, own_rows
from lightning_modules.training.gan_health import warn
from lightning_modules.training.optimizing import optimizer_of
from lightning_modules.training.shaping import Shaping
from models.layers.splitting import SplitNetwork
from models.refinement import Penalty, Refinement, Visit, at_steps, best_of, best_so_far, low_band_proximity, proximity, walk
from models.restorer import chunk_by_segments
from models.streaming.chunking import Chunking, to_grid
from models.streaming.fir import lowpass_taps
from models.streaming.overlap_add import apply_in_chunks

INHERITED = ("net", "discriminator", "autoencoder", "adversary")
"""What a run takes over from its base: the networks' descriptions, and what D's logits mean."""
SEGMENT_SECONDS = 8.0
SEGMENT_OVERLAP_SECONDS = 1.0


class CollaborativeGANModule(MUGANModule, StepSized):
    """Restore with a generator, then move one of its activations so that the discriminator finds the result cleaner.

    Args:
        refinement: how the activation is moved; its steps are the dial between speed and what D finds cleaner.
        layer: which activation: the number of up blocks before it; 0 is the bottleneck, one more than there are the restored
            signal itself, as is None.
        proximity: weight of |y - y_0|^2 / |y_0|^2 beside D's loss; 0 = not computed.
        low_band: weight of |LP(y - x)|^2 / |x|^2; 0 = not computed.
        low_band_hz: cut-off of LP in Hz.
        shaping: when D is shaped and when that ends.
        base: the finished adversarial run that this one starts from, as init_from names it; see `complete_description`.
        mugan: as of `MUGANModule`, each an argument of its own.

    Raises:
        ValueError: if there is no discriminator, the generator cannot be cut at this layer, or a number is out of range, and as
            `MUGANModule`.
    """

    def __init__(
        self,
        *,
        refinement: Refinement,
        shaping: Shaping,
        layer: int | None = None,
        proximity: float = 0.0,
        low_band: float = 0.0,
        low_band_hz: float | None = None,
        base: str | None = None,
        **mugan: Unpack[MUGANSettings],
    ) -> None:
        super().__init__(**mugan)
        if self.discriminator is None:
            raise ValueError(
                "model=collaborative_gan needs a discriminator: give model.loss_weights.adversarial a weight above 0"
            )
        if not isinstance(self.net, SplitNetwork):
            raise ValueError(f"model.net={type(self.net).__name__} cannot be cut at a layer; known: UNet, MUGANGenerator")
        output = len(self.net.up) + 1
        if layer is not None and layer not in range(output + 1):
            raise ValueError(f"model.layer={layer} must lie between 0, the bottleneck, and {output}, the restored signal")
        self.penalty_factors = {"proximity": proximity, "low_band": low_band}
        for name, factor in self.penalty_factors.items():
            if not 0 <= factor < math.inf:
                raise ValueError(f"model.{name}={factor} must be a number, at least 0; 0 leaves it out")
        if low_band > 0 and (low_band_hz is None or not 0 < low_band_hz < self.sample_rate / 2):
            raise ValueError(
                f"model.low_band={low_band} needs model.low_band_hz, the cut-off below which the input is right, between 0 and "
                f"{self.sample_rate / 2:g}; got {low_band_hz}"
            )
        self.refinement = refinement
        self.layer = output if layer is None else int(layer)
        self.low_band_hz = low_band_hz
        self.shaping = shaping
        self.shaping_losses: list[Tensor] = []
        self.base = base

    @classmethod
    def complete_description(cls, description: Mapping[str, Any]) -> dict[str, Any]:
        """Give a run that starts from another one that one's networks; a description without a base is returned as it is.

        Args:
            description: the plain `model` node of a configuration.

        Raises:
            ValueError: if the base is no adversarial run.
        """
        base = description.get("base")
        if base is None:
            return dict(description)
        origin = open_origin("init_from", str(base))  # a folder may be named by a number
        if "discriminator" not in origin.config:
            raise ValueError(f"{origin} was not written by an adversarial run: it has no discriminator")
        return {**description, **{key: origin.config[key] for key in INHERITED if key in origin.config}}

    @property
    def first_shaping_epoch(self) -> int:
        """Tell in which epoch shaping starts; a base has had its adversarial epochs."""
        return self.shaping.after_epochs if self.base is None else 0

    @property
    def _judge(self) -> nn.Module:
        assert self.discriminator is not None
        return self.discriminator

    def check_origin(self, description: Mapping[str, Any], names: Collection[str], named: str) -> None:
        """Refuse a base of another rate, or one that lacks a network: what it has is shaped as it is.

        Raises:
            ValueError: saying why.
        """
        if self.base is None:
            return
        check_rate(description, named, self.sample_rate)
        for network in ("net", "discriminator", "autoencoder"):
            if getattr(self, network) is not None and not any(name.startswith(f"{network}.") for name in names):
                raise ValueError(f"{named} has no {network}; give model.loss_weights the weights of that run")

    def restore(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal, refined for as many steps as the settings say, (B, C, T) in float32.

        Every channel of every example is refined by itself, and keeps the point with the highest logit on its way; so is every
        segment of a long one, because steps are measured, and points judged, by a segment as a whole.
        """
        return apply_in_chunks(self._refine, corrupted, self.segments)

    def _refine(self, segment: Tensor) -> Tensor:
        with eval_mode(self.net, self._judge):
            best = best_of(self._walk(segment))
        return best.signal.reshape(segment.shape).float()

    @property
    def segments(self) -> Chunking:
        """How long signals are divided for refinement."""
        grid = self._restorer.grid_samples
        overlap = to_grid(SEGMENT_OVERLAP_SECONDS * self.sample_rate, grid)
        return Chunking(to_grid(SEGMENT_SECONDS * self.sample_rate, grid), overlap, overlap // 4, grid)

    @property
    def reach_seconds(self) -> float:
        """A segment, and what the last one may be longer."""
        return self.segments.limit_samples / self.sample_rate

    def chunking(self, chunk_seconds: float | None = None, overlap_seconds: float | None = None) -> Chunking:
        """Let the chunks be the segments, or shorter if asked for."""
        return chunk_by_segments(self.segments, self.sample_rate, chunk_seconds, overlap_seconds)

    def _walk(self, corrupted: Tensor) -> Iterator[Visit]:
        """Yield the points of all channels (B * C, 1, T); under `trainer.test` too, whose tensors take no gradient."""
        with torch.inference_mode(False), torch.no_grad():
            mono = corrupted.clone().reshape(-1, 1, corrupted.shape[-1])
            hidden, decode = cast(SplitNetwork, self.net).split(mono, self.layer)
            penalty = self._penalty(mono, decode(hidden)) if any(self.penalty_factors.values()) else None

        def judge(signal: Tensor) -> Tensor:
            logits: Tensor = self._judge(signal, mono)[0]  # (B * C, 1, L)
            return logits.float().mean(dim=(1, 2))

        return walk(hidden, decode, judge, self.refinement, penalty)

    def _penalty(self, corrupted: Tensor, first: Tensor) -> Penalty:
        parts: list[tuple[float, Penalty]] = []
        if self.penalty_factors["proximity"] > 0:
            parts.append((self.penalty_factors["proximity"], proximity(first)))
        if self.penalty_factors["low_band"] > 0:
            assert self.low_band_hz is not None
            taps = lowpass_taps(self.low_band_hz, self.sample_rate)
            parts.append((self.penalty_factors["low_band"], low_band_proximity(corrupted, taps)))
        return lambda signal: torch.stack([factor * penalty(signal) for factor, penalty in parts]).sum(dim=0)

    @property
    def steps(self) -> int:
        """How many steps of refinement there are."""
        return self.refinement.steps

    def with_num_steps(self, steps: int) -> "CollaborativeGANModule":
        """Return this method with another number of refinement steps; 0 is the generator alone."""
        return self._refining(replace(self.refinement, steps=steps))

    def with_step_size(self, step_size: float) -> "CollaborativeGANModule":
        """Return this method with another length of its refinement steps."""
        return self._refining(replace(self.refinement, step_size=step_size))

    def _refining(self, refinement: Refinement) -> "CollaborativeGANModule":
        other = copy(self)
        other.refinement = refinement
        return other

    def estimates(self, corrupted: Tensor) -> Tensor:
        """Return what every number of steps from 0 to K restores, (K + 1, B, C, T)."""
        with eval_mode(self.net, self._judge):
            return apply_in_chunks(self._estimates_of_segment, corrupted, self.segments)

    def _estimates_of_segment(self, segment: Tensor) -> Tensor:
        return torch.stack([best.signal.reshape(segment.shape).float() for best in best_so_far(self._walk(segment))])

    def step_scores(self, estimates: Tensor, corrupted: Tensor) -> dict[str, Tensor]:
        """Return D's mean logit of every estimate over its channels, (K + 1,)."""
        with eval_mode(self._judge):
            logits: Tensor = self._judge(estimates, corrupted.expand_as(estimates))[0]  # ((K + 1) * C, 1, L)
        return {"logit": logits.float().reshape(len(estimates), -1).mean(dim=1)}

    def step_on(self, batches: Sequence[Batch]) -> None:
        """Train as an adversarial method does, or shape the discriminator."""
        if self.current_epoch < self.first_shaping_epoch:
            super().step_on(batches)
            return
        steps = self._drawn_steps(torch.cat([batch["index"] for batch in batches]), batches[0]["clean"].shape[1])
        for batch, own in zip(self.accumulation.parts(batches), steps.split([len(b["index"]) for b in batches]), strict=True):
            self._shape(batch, own.flatten().to(batch["clean"].device))
        if not is_cut_short(self.trainer):
            self._end_when_shaped()

    def _drawn_steps(self, index: Tensor, channels: int) -> Tensor:
        """Draw from 0 to K for every channel of the examples with these numbers, (B, C)."""
        draw = generator_of(self.seed, "shaping", index)
        return own_rows(lambda rows: torch.randint(self.refinement.steps + 1, (rows, channels), generator=draw), len(index))

    def _shape(self, batch: Batch, steps: Tensor) -> None:
        """Step D on clean signals and on samples refined for so many steps, (B * C,)."""
        mono = {name: batch[name].reshape(-1, 1, batch[name].shape[-1]) for name in ("clean", "corrupted")}
        with eval_mode(self.net, self._judge):
            refined = at_steps(self._walk(mono["corrupted"]), steps).float()
        loss = self._step_discriminator(self._judge, {**batch, **mono}, refined)
        self.shaping_losses.append(loss)

    def _end_when_shaped(self) -> None:
        """Ask, in the last batch of an epoch, before it is decided whether it is validated; whatever else ends the run."""
        mean = self._over_processes(torch.stack(self.shaping_losses).mean())
        is_done = self.shaping.is_done(float(mean))
        self.trainer.should_stop = self.trainer.should_stop or is_done

    def on_train_start(self) -> None:
        """End a resumed run at once if shaping had done its work; in the middle of an epoch, go on as it began."""
        super().on_train_start()
        self._hold_judge()
        self.trainer.should_stop = self.trainer.should_stop or self.shaping.has_ended

    def on_train_epoch_start(self) -> None:
        """Begin shaping in its first epoch, and keep a discriminator that does not move from gathering statistics."""
        super().on_train_epoch_start()
        if self.current_epoch == self.first_shaping_epoch:
            self._begin_shaping()
        self._hold_judge()

    def _hold_judge(self) -> None:
        if self.current_epoch >= self.first_shaping_epoch and self.shaping.rate_factor == 0:
            self._judge.eval()

    def _begin_shaping(self) -> None:
        """Lower the discriminator's rate, and freeze the generator that is evaluated, which is the average if there is one."""
        for group in optimizer_of(self, "discriminator").param_groups:
            group["lr"] *= self.shaping.rate_factor
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, WeightEMA):
                self.net.load_state_dict(callback.average_of("net"))

    def on_train_epoch_end(self) -> None:
        """Forget the losses of an epoch that is over; whoever goes on with one needs them."""
        super().on_train_epoch_end()
        if not is_cut_short(self.trainer):
            self.shaping_losses = []

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the losses of an epoch that is not at its end."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["shaping_losses"] = [float(loss) for loss in self.shaping_losses]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with them."""
        super().on_load_checkpoint(checkpoint)
        self.shaping_losses = [torch.tensor(loss, device=self.device) for loss in checkpoint.get("shaping_losses", [])]

    def on_train_end(self) -> None:
        """Say so if the discriminator was never shaped."""
        super().on_train_end()
        if self.trainer.current_epoch <= self.first_shaping_epoch:
            after = f"model.shaping.after_epochs={self.first_shaping_epoch}"
            warn([f"the discriminator was never shaped: {after}, and the run had {self.trainer.current_epoch} epochs"])
