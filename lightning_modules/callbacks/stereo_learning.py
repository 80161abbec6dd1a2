"""What a network knows of mid and side, step by step of its training, and what it makes of one window meanwhile."""

from dataclasses import dataclass, field
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.budget import batches_done
from lightning_modules.metrics.snr import snr_db
from lightning_modules.modes import eval_mode
from models.layers.counts import check_count
from models.layers.mid_side import as_given, as_mid_side

SECONDS = 1.0
"""Of the first validation pair, that are listened to."""
NAMES = ("mid_snr_db", "side_snr_db")


@dataclass
class Learned:
    """What was seen.

    Attributes:
        sample_rate_hz: of the window.
        window: mid and side of a clean window, (2, T).
        steps: of the training after which the network was listened to, 0 before the first.
        levels: signal-to-noise ratios of mid and side in dB, a pair for each of these.
        frame_steps: those steps that have a frame.
        frames: mid and side of what the network made of the window then, (2, T) each.
    """

    sample_rate_hz: int = 0
    window: Tensor = field(default_factory=lambda: torch.zeros(2, 0))
    steps: list[int] = field(default_factory=list)
    levels: list[list[float]] = field(default_factory=list)
    frame_steps: list[int] = field(default_factory=list)
    frames: list[Tensor] = field(default_factory=list)


class StereoLearning(Callback):
    """Listen to the network on the beginning of the first validation pair after every so many steps.

    All of it goes into checkpoints, so that a run that goes on has all of its steps.

    Args:
        every_steps: from one time to the next.
        frame_every_steps: from one frame of the animation to the next, a multiple of it.
        window_samples: shown in the animation.

    Raises:
        ValueError: if one is no whole number above 0, or no such multiple.
    """

    def __init__(self, every_steps: int = 1, frame_every_steps: int = 2, window_samples: int = 1024) -> None:
        check_count("callbacks.stereo_learning.every_steps", every_steps)
        check_count("callbacks.stereo_learning.frame_every_steps", frame_every_steps)
        check_count("callbacks.stereo_learning.window_samples", window_samples)
        if frame_every_steps % every_steps:
            key = "callbacks.stereo_learning.frame_every_steps"
            raise ValueError(f"{key}={frame_every_steps} must be a multiple of every_steps={every_steps}")
        self.every_steps, self.frame_every_steps, self.window_samples = every_steps, frame_every_steps, window_samples
        self.learned = Learned()
        self._clean = self._corrupted = torch.zeros(1, 2, 0)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen before the first step.

        Raises:
            ValueError: if the signals are not stereo.
        """
        data = trainer.datamodule  # type: ignore[attr-defined]  # declared by none of Lightning's classes
        pair = data.val_dataloader().dataset[0]
        if len(pair["clean"]) != 2:
            raise ValueError(f"callbacks=stereo_learning needs data.channels=2; this is {len(pair['clean'])}")
        self._turn = as_given if data.channel_layout == "mid_side" else as_mid_side
        heard = slice(0, round(SECONDS * data.sample_rate))
        self._clean, self._corrupted = pair["clean"][None, :, heard], pair["corrupted"][None, :, heard]
        self.learned.sample_rate_hz = data.sample_rate
        self.learned.window = self._window(self._turn(self._clean))
        if not self.learned.steps:
            self._listen(pl_module, 0)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        """Listen, where it is time, and log what is heard."""
        done = batches_done(trainer)
        if done % self.every_steps == 0:
            self._listen(pl_module, done)
            levels = dict(zip(NAMES, self.learned.levels[-1], strict=True))
            pl_module.log_dict({f"learning/{name}": value for name, value in levels.items()}, rank_zero_only=True)

    def _listen(self, module: pl.LightningModule, step: int) -> None:
        assert isinstance(module, RestorationModule)
        with eval_mode(module), torch.no_grad():
            restored = module.restore_pair(self._corrupted.to(module.device), self._clean.to(module.device)).cpu()
        clean, restored = self._turn(self._clean), self._turn(restored)
        self.learned.steps.append(step)
        self.learned.levels.append(snr_db(restored.transpose(0, 1), clean.transpose(0, 1)).tolist())  # mid and side as a batch
        if step % self.frame_every_steps == 0:
            self.learned.frame_steps.append(step)
            self.learned.frames.append(self._window(restored))

    def _window(self, turned: Tensor) -> Tensor:
        """Return the middle of (1, 2, T), (2, W)."""
        start = max(0, (turned.shape[-1] - self.window_samples) // 2)
        return turned[0, :, start : start + self.window_samples].clone()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        seen = self.learned
        return {"steps": [*seen.steps], "levels": [*seen.levels], "frame_steps": [*seen.frame_steps], "frames": [*seen.frames]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        for name, values in state_dict.items():
            setattr(self.learned, name, [*values])
