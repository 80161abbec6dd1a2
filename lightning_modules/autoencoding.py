"""The first stage of a feature loss: an autoencoder of clean signals, and how a later run takes it over."""

from torch import Tensor, nn

from lightning_modules.base import Batch
from lightning_modules.regression import RegressionModule
from lightning_modules.runs.starting import check_rate, open_origin, take_over


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


def load_autoencoder(autoencoder: nn.Module, name: str, sample_rate: int) -> None:
    """Fill an autoencoder with the weights of a finished `model=autoencoder` run.

    Args:
        autoencoder: of the same architecture.
        name: of a run folder, a checkpoint or a shipped model.
        sample_rate: that the features are to work at, in Hz.

    Raises:
        ValueError: if there is no such checkpoint, or it is of another kind, rate or architecture.
    """
    origin = open_origin("model.autoencoder_checkpoint", name)
    if not str(origin.config.get("_target_")).endswith(".AutoencoderModule"):
        raise ValueError(f"{origin} was not written by a model=autoencoder run")
    check_rate(origin.config, str(origin), sample_rate)
    taken = take_over(autoencoder, origin.of_network("net"))
    if taken.missing or taken.other_shape or taken.left_over:
        net = origin.config["net"]
        settings = {key: value for key, value in net.items() if key != "_target_"}
        raise ValueError(
            f"{origin} holds another architecture, {net['_target_']} with {settings}; give model.autoencoder the same"
        )
