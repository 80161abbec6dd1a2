"""What Weights & Biases takes: a summary to sort runs by, and a table of examples to listen to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger

from lightning_modules.metrics.registry import METRICS, computed_in
from lightning_modules.runs.tracker import Shown, Tracker, summary_of

STEP = "trainer/global_step"
"""The axis of every curve, as Lightning names it."""
AUDIO = ("corrupted", "restored", "clean")


class WandbTracker(Tracker):
    """A run of W&B; see `Tracker`."""

    logger: WandbLogger

    def summary(self, result: Mapping[str, Any]) -> None:
        """Put the values into the summary, and the test means too, which else stand there only as the last of their curve."""
        self.logger.experiment.summary.update(summary_of(result) | result["metrics"])

    def examples(self, shown: Sequence[Shown], step: int | None) -> None:
        """Send a table, a line for each pair; a medium stands there and nowhere else."""
        if shown:
            columns = ["pair", "seconds", *AUDIO, "spectrograms"]
            self.logger.log_table("examples", columns=columns, data=[_line(pair) for pair in shown], step=step)

    def pictures(self, paths: Sequence[Path], step: int | None) -> None:
        """Send them as images."""
        for path in paths:
            self.logger.log_image(f"steps/{path.stem}", [str(path)], step=step)

    def animations(self, paths: Sequence[Path], step: int | None) -> None:
        """Send them as videos, which repeat."""
        for path in paths:
            self.logger.log_video(f"steps/{path.stem}_animation", [str(path)], step=step, format=["gif"])

    def close(self, exit_code: int) -> None:
        """Finish the run."""
        import wandb

        wandb.finish(exit_code=exit_code)


def define_best_values(logger: WandbLogger) -> None:
    """Make the summary of a run show the best value of every validation metric, even if the run never gets to its end."""
    for name in computed_in("validation"):
        logger.experiment.define_metric(f"val/{name}", step_metric=STEP, step_sync=True, summary=METRICS[name].mode)


def _line(pair: Shown) -> list[Any]:
    import wandb

    rate_hz, captions = pair.sample_rate_hz, {name: f"{name}, {pair.seconds:.1f} s" for name in AUDIO}
    audio = [wandb.Audio(str(pair.audio[name]), sample_rate=rate_hz, caption=captions[name]) for name in AUDIO]
    return [pair.name, round(pair.seconds, 3), *audio, wandb.Image(str(pair.picture)) if pair.picture else None]
