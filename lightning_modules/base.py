"""What every method shares: restoring a batch, the one validation and test loop, and a checkpoint that opens alone."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from lightning_modules.metrics.availability import offered_metrics
from lightning_modules.metrics.collection import MeanOverExamples, build_metrics, update_all
from lightning_modules.metrics.cost import real_time_factor
from lightning_modules.metrics.registry import computed_in
from models.restorer import Restorer
from models.streaming.chunking import Chunking

Batch = Mapping[str, Tensor]
"""{"clean": (B, C, T), "corrupted": (B, C, T), "index": (B,)}"""

DEFAULT_MONITOR = "val/si_sdr_db"
"""The metric that plateau schedules watch."""


class NonFiniteLossError(RuntimeError):
    """The loss of a batch, or its gradient, is NaN or infinite; `indices` are the batch's global sample numbers."""

    def __init__(self, indices: list[int], quantity: str = "loss") -> None:
        shown = [*map(str, indices[:2]), "...", str(indices[-1])] if len(indices) > 4 else [*map(str, indices)]
        super().__init__(f"the {quantity} is not finite on the batch with indices [{', '.join(shown)}]")
        self.indices = indices


class RestorationModule(pl.LightningModule):
    """A method: a network, the sample rate it works at, and how it is evaluated.

    As it stands it needs no training (the classical methods); subclasses that do say so and add a `training_step`.

    Args:
        net: maps (B, C, T) to (B, C, T).
        sample_rate: in Hz; must agree with the data's.
    """

    needs_training = False
    """Whether it restores only after a training; a plain value in the class body, which scripts read without importing it."""
    is_oracle = False
    """Whether the method looks at the clean signal of a pair, so that its scores are no restorer's."""
    precisions: tuple[str, ...] | None = None
    """The values of trainer.precision it trains in; None is any."""

    @property
    def needs_labels(self) -> bool:
        """Whether training batches are to say what their recordings are, as `labels` (B, 3)."""
        return False

    def __init__(self, net: nn.Module, sample_rate: int) -> None:
        super().__init__()
        self.net = net
        self.sample_rate = sample_rate
        self.seed = 0  # of the run; the data say which
        self.model_config: dict[str, Any] = {}
        self.held: tuple[nn.Module, ...] = ()  # layers that gather no statistics while the others train
        self.scores = nn.ModuleDict()
        self.batch_index = torch.zeros(0, dtype=torch.int64)  # (B,) of the training batch in flight
        self.test_rows: list[dict[str, float]] = []
        self.real_time_factor: float | None = None

    def restore(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal in float32.

        Args:
            corrupted: (B, C, T).

        Returns:
            (B, C, T).
        """
        restored: Tensor = self.net(corrupted)
        return restored.float()

    def forward(self, corrupted: Tensor) -> Tensor:
        """Alias of `restore`, for export and for `trainer.predict`."""
        return self.restore(corrupted)

    @property
    def reach_seconds(self) -> float:
        """How far to either side a restored sample looks; infinite: at the whole recording."""
        return self._restorer.reach_samples / self.sample_rate

    def chunking(self, chunk_seconds: float | None = None, overlap_seconds: float | None = None) -> Chunking:
        """Divide long recordings so that the pieces join as if each had been restored whole, or as asked for.

        Args:
            chunk_seconds: of a chunk; None is long enough for the overlap.
            overlap_seconds: of two chunks; None is long enough for the reach.

        Raises:
            ValueError: if the network does not declare its reach, or looks at a whole recording at once.
        """
        return self._restorer.chunking(self.sample_rate, chunk_seconds, overlap_seconds)

    @property
    def _restorer(self) -> Restorer:
        if isinstance(self.net, Restorer):
            return self.net
        raise ValueError(f"{type(self.net).__name__} does not declare how far it looks; derive it from models.restorer.Restorer")

    def restore_pair(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Restore one evaluation batch; only an oracle looks at the clean signal.

        Args:
            corrupted: (B, C, T).
            clean: (B, C, T).

        Returns:
            (B, C, T).
        """
        return self.restore(corrupted)

    @classmethod
    def complete_description(cls, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return the description that a new run of this method is built from; as it is, where nothing follows from elsewhere.

        Args:
            description: the plain `model` node of a configuration.
        """
        return dict(description)

    def prepare_training(self) -> None:
        """Load what other runs trained and check what only a training needs; called once, before a run folder is made.

        Raises:
            ValueError: if the method needs no training.
        """
        if not self.needs_training:
            raise ValueError("this method needs no training; score it with evaluate.py, and use it with restore.py")

    def check_origin(self, description: Mapping[str, Any], names: Collection[str], named: str) -> None:
        """Refuse to start from the weights of a method that this one cannot start from; any will do here.

        Args:
            description: the plain `model` node of that method.
            names: of its weights.
            named: the key and the file that stand for it, for a sentence.

        Raises:
            ValueError: saying why.
        """

    def check_precision(self, precision: str) -> None:
        """Refuse a precision in which the method does not train.

        Args:
            precision: as the trainer names it, such as 32-true.

        Raises:
            ValueError: naming those in which it does.
        """
        if self.precisions is not None and precision not in self.precisions:
            raise ValueError(f"this method trains with {' or '.join(self.precisions)}, not trainer.precision={precision}")

    def check_accumulation(self, batches: int) -> None:
        """Refuse to add up gradients over batches where the method cannot.

        Args:
            batches: for each step, as trainer.accumulate_grad_batches.

        Raises:
            ValueError: naming the key.
        """
        if batches > 1 and not self.automatic_optimization:
            raise ValueError(
                f"trainer.accumulate_grad_batches={batches} must be 1: this method steps several networks in every batch, each "
                "against those just stepped; use data.batch_size, or model.accumulate_batches"
            )

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """Modules of its networks that are compiled where a training asks for it."""
        return self.net.compiled_parts if isinstance(self.net, Restorer) else ()

    @property
    def is_between_steps(self) -> bool:
        """Say whether every batch so far has led to a step, as far as the method itself adds up gradients."""
        return True

    def setup(self, stage: str) -> None:
        """Check that data and method agree on the sample rate, take over the run's seed, and create the metrics.

        Raises:
            ValueError: if the sample rates differ.
        """
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if data.sample_rate != self.sample_rate:
            raise ValueError(
                f"the method works at {self.sample_rate} Hz and the data are at {data.sample_rate} Hz; "
                f"set data.sample_rate={self.sample_rate}"
            )
        if stage == "fit":
            self.seed = data.seed
        names = offered_metrics(self.sample_rate) if stage == "test" else computed_in("validation")
        for row in ("restored", "corrupted"):
            scores = nn.ModuleDict(build_metrics(names, self.sample_rate, data.cutoff_hz))
            self.scores[row] = scores.to(self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Keep which examples are trained on, for what may go wrong with them."""
        self.batch_index = batch["index"]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score one batch of validation pairs."""
        self._score(batch, self.restore_pair(batch["corrupted"], batch["clean"]), "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Score one batch of test pairs and keep the per-example values, and the time that the first of all takes.

        Raises:
            ValueError: if the method gives NaN or infinite samples.
        """
        restored = self.restore_pair(batch["corrupted"], batch["clean"])
        finite = restored.isfinite().flatten(1).all(dim=1)
        if not finite.all():
            raise ValueError(f"gave NaN or infinite samples on test pair {int(batch['index'][~finite][0])}")
        values = self._score(batch, restored, "test")
        if batch_idx == 0:
            self.real_time_factor = real_time_factor(self, batch["corrupted"], batch["clean"])
        for row, index in enumerate(batch["index"].tolist()):
            self.test_rows.append({"index": index} | {name: value[row].item() for name, value in values.items()})

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the restored batch, (B, C, T)."""
        return self.restore(batch["corrupted"])

    def on_test_epoch_start(self) -> None:
        """Forget the rows of an earlier test."""
        self.test_rows = []

    def _score(self, batch: Batch, restored: Tensor, split: str) -> dict[str, Tensor]:
        clean, corrupted = batch["clean"], batch["corrupted"]
        values: dict[str, Tensor] = {}
        for prefix, signal, scores in (("", restored, "restored"), ("corrupted_", corrupted, "corrupted")):
            metrics = cast(dict[str, MeanOverExamples], dict(cast(nn.ModuleDict, self.scores[scores]).items()))
            values |= {f"{prefix}{name}": value for name, value in update_all(metrics, signal, clean).items()}
            named = {f"{split}/{prefix}{name}": metric for name, metric in metrics.items()}
            self.log_dict(named, on_step=False, on_epoch=True, batch_size=clean.shape[0])
        return values

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the plain description beside the weights."""
        checkpoint["model_config"] = self.model_config


class OracleModule(RestorationModule):
    """A method that is told the truth: the bound a blind method is compared with, never a restorer."""

    is_oracle = True

    def restore(self, corrupted: Tensor) -> Tensor:
        """Refuse: without the clean signal there is nothing to restore with.

        Raises:
            ValueError: always.
        """
        raise ValueError("an oracle needs the clean signal; use it with evaluate.py only")

    def restore_pair(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Return the net's estimate from (B, C, T) corrupted and clean signals, (B, C, T)."""
        restored: Tensor = self.net.restore_with_clean(corrupted, clean)  # type: ignore[operator]
        return restored.float()


def require_finite(loss: Tensor, batch: Batch) -> Tensor:
    """Return the loss unless it is NaN or infinite.

    Raises:
        NonFiniteLossError: with the indices of the batch.
    """
    if not torch.isfinite(loss):
        raise NonFiniteLossError(batch["index"].tolist())
    return loss


def clip_grad_norm(parameters: Iterable[nn.Parameter], largest_norm: float | None, index: Tensor) -> Tensor:
    """Scale the gradient down to a norm, before an optimizer steps by it; call it even without a limit.

    A finite loss can have a gradient that is not (the root of a silent signal), and one step by it makes every weight NaN.

    Args:
        parameters: of the optimizer, with their gradients.
        largest_norm: of the gradient over all parameters together; None leaves it as it is.
        index: (B,) the batch's global sample numbers.

    Returns:
        () the norm before.

    Raises:
        NonFiniteLossError: with the indices of the batch, if the gradient is NaN or infinite.
    """
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])
    if not torch.isfinite(norm):
        raise NonFiniteLossError(index.tolist(), "gradient")
    if largest_norm is not None:
        nn.utils.clip_grads_with_norm_(trained, largest_norm, norm)
    return norm
