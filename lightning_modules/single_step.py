"""Training a restorer of partly restored signals on single steps, without a gradient through the steps before."""

import torch
from torch import Tensor

from lightning_modules.base import Batch
from lightning_modules.losses.targets import schedule
from lightning_modules.stepped import SteppedModule
from lightning_modules.training.draws import generator_of
from models.cold_diffusion import ColdDiffusionRNN


class SingleStepModule(SteppedModule):
    """Show the network the exact target of one step as its input, and ask for the clean signal.

    The step is drawn for every batch; the sampler that strings them together is the network's (`models.cold_diffusion`). The
    arguments are those of `SteppedModule`.
    """

    net: ColdDiffusionRNN

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch and log its terms, unweighted, under `train/`."""
        progress = self.progress(batch["index"])
        partly = schedule(batch["clean"], batch["corrupted"], progress)
        return self.total(self.loss.terms(self.net.restore_once(partly, progress), batch["clean"]), batch)

    def progress(self, index: Tensor) -> float:
        """Draw the progress before one of the sampler's steps, from the run's seed and the batch's sample numbers (B,)."""
        generator = generator_of(self.seed, "progress", index)
        return int(torch.randint(0, self.net.steps, (), generator=generator)) / self.net.steps
