"""The first stage of a feature loss: an autoencoder of clean signals, and how a later run takes it over."""

from pathlib import Path

from torch import Tensor, nn

from lightning_modules.base import Batch
from lightning_modules.regression import RegressionModule
from lightning_modules.runs.checkpoint import CheckpointError, find_checkpoint, read_checkpoint, weights_of


class AutoencoderModule(RegressionModule):
    """Train a network to reproduce clean signals; what the data's corruption does plays no part.

    Its test row says how well clean signals come back. It is a network to take features from, not a restorer.
    """

    is_oracle = True

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of reproducing the clean signals of one batch."""
        return super().training_step({**batch, "corrupted": batch["clean"]}, batch_idx)

    def restore_pair(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Reproduce the clean signals, (B, C, T)."""
        return self.restore(clean)


def load_autoencoder(autoencoder: nn.Module, path: Path, sample_rate: int) -> None:
    """Fill an autoencoder with the weights of a finished `model=autoencoder` run.

    Args:
        autoencoder: of the same architecture.
        path: a run folder or a checkpoint.
        sample_rate: that the features are to work at, in Hz.

    Raises:
        ValueError: if there is no such checkpoint, or it is of another kind, rate or architecture.
    """
    try:
        file = find_checkpoint(path)
        checkpoint = read_checkpoint(file)
    except CheckpointError as error:
        raise ValueError(f"model.autoencoder_checkpoint={error}") from error
    config = checkpoint.get("model_config") or {}
    if not str(config.get("_target_")).endswith(".AutoencoderModule"):
        raise ValueError(f"model.autoencoder_checkpoint={file} was not written by a model=autoencoder run")
    if config["sample_rate"] != sample_rate:
        raise ValueError(f"model.autoencoder_checkpoint={file} works at {config['sample_rate']} Hz, this run at {sample_rate} Hz")
    try:
        autoencoder.load_state_dict(weights_of(checkpoint, "net"))
    except RuntimeError as error:
        settings = {key: value for key, value in config["net"].items() if key != "_target_"}
        raise ValueError(
            f"model.autoencoder_checkpoint={file} holds another architecture, {config['net']['_target_']} with {settings}; "
            "give model.autoencoder the same"
        ) from error
