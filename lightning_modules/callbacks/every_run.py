"""The callbacks of every training, and those that a configuration adds."""

from collections.abc import Sequence
from pathlib import Path

from pytorch_lightning.callbacks import Callback

from lightning_modules.callbacks.averaging import NoAverage, WeightEMA
from lightning_modules.callbacks.best_and_last import BestEpoch, LastEpoch
from lightning_modules.callbacks.common import BatchSeed, EpochReport, NonFiniteReport
from lightning_modules.callbacks.configured_rates import ConfiguredRates
from lightning_modules.callbacks.epoch_lines import EpochLines
from lightning_modules.callbacks.mid_epoch import MidEpoch
from lightning_modules.callbacks.within_epoch import WithinEpoch


def run_callbacks(
    folder: Path,
    seed: int,
    monitor: str,
    mode: str,
    ema_decay: float | None,
    checkpoint_every_minutes: float | None,
    added: Sequence[Callback],
) -> Sequence[Callback]:
    """Create the callbacks that do not have to be known afterwards.

    Args:
        folder: of the run.
        seed: of the run.
        monitor: the validation metric that chooses the best epoch.
        mode: max or min.
        ema_decay: of the weights used for evaluation; None trains without.
        checkpoint_every_minutes: within an epoch; None: none.
        added: further ones, which see an epoch's values before its checkpoints are written.
    """
    averaging = NoAverage() if ema_decay is None else WeightEMA(ema_decay)
    reports = [NonFiniteReport(folder), EpochReport(folder), EpochLines(monitor, mode)]
    place = folder / "checkpoints"
    checkpoints = [WithinEpoch(place, checkpoint_every_minutes), BestEpoch(place, monitor, mode), LastEpoch(place)]
    return [BatchSeed(seed), MidEpoch(), ConfiguredRates(), *reports, averaging, *added, *checkpoints]
