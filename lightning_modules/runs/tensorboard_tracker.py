"""What TensorBoard takes: scalars, audio, images, the rows as text, and the configuration with its scores under HPARAMS."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.tracker import Shown, Tracker, summary_of


class TensorBoardTracker(Tracker):
    """A folder of TensorBoard; see `Tracker`."""

    logger: TensorBoardLogger

    def summary(self, result: Mapping[str, Any]) -> None:
        """Write numbers beside the configuration under HPARAMS, sentences and the rows of all methods as text."""
        step, summary = result.get("global_step"), summary_of(result)
        numbers = {name: value for name, value in summary.items() if isinstance(value, int | float)}
        self.logger.log_hyperparams(self.logger.hparams, numbers | result["metrics"], step)
        for name, value in summary.items():
            if isinstance(value, str):
                self.logger.experiment.add_text(name, value, step)
        self.logger.experiment.add_text("methods", as_markdown(result["methods"]), step)

    def examples(self, shown: Sequence[Shown], step: int | None) -> None:
        """Write the audio, its channels mixed, as TensorBoard plays one, and the spectrograms."""
        for pair in shown:
            signals = {name: getattr(pair.example, name).mean(dim=0, keepdim=True) for name in pair.audio}
            loudest = max([1.0, *(float(signal.abs().max()) for signal in signals.values())])
            for name, signal in signals.items():
                self.logger.experiment.add_audio(f"examples/{pair.audio[name].stem}", signal / loudest, step, pair.sample_rate_hz)
        self.pictures([pair.picture for pair in shown if pair.picture], step)

    def pictures(self, paths: Sequence[Path], step: int | None) -> None:
        """Write them as images."""
        from matplotlib.image import imread

        for path in paths:
            self.logger.experiment.add_image(f"pictures/{path.stem}", imread(path)[..., :3], step, dataformats="HWC")

    def animations(self, paths: Sequence[Path], step: int | None) -> None:
        """Write them as images as they are, which move there."""
        from matplotlib.image import imread
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]  # comes without types

        for path in paths:
            height, width = imread(path).shape[:2]
            image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=path.read_bytes())
            summary = Summary(value=[Summary.Value(tag=f"pictures/{path.stem}_animation", image=image)])
            self.logger.experiment._get_file_writer().add_summary(summary, step)

    def close(self, exit_code: int) -> None:
        """Write what is left."""
        self.logger.finalize("failed" if exit_code else "success")


def as_markdown(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the rows of a result as a table.

    >>> print(as_markdown({"corrupted": {"lsd": 2.0}, "unet": {"lsd": 1.25}}))
    | method | lsd ↓ |
    | --- | --- |
    | corrupted | 2.00 |
    | unet | 1.25 |
    """
    names = [name for name in METRICS if any(name in row for row in methods.values())]
    lines = [["method", *(METRICS[name].heading for name in names)], ["---"] * (len(names) + 1)]
    lines += [[method, *(f"{row[name]:.2f}" if name in row else "none" for name in names)] for method, row in methods.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
