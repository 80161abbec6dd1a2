"""SEGAN: an adversarial training of pre-emphasized signals, with noise beside the code.

Pascual, Bonafonte and Serra, "SEGAN: speech enhancement generative adversarial network" (arXiv 1703.09452): least squares
for both players, and 100 times the absolute error for the generator. Both see signals with their high frequencies raised.
"""

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.base import Batch
from lightning_modules.training.draws import own_generator_of
from models.layers.emphasis import emphasized
from models.segan import SEGAN


class SEGANModule(AdversarialModule):
    """Train as `AdversarialModule` does, on emphasized signals, and with noise drawn for every batch.

    The arguments are those of `AdversarialModule`.
    """

    net: SEGAN

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Step both players on emphasized signals."""
        raised = {name: emphasized(batch[name], self.net.pre_emphasis) for name in ("clean", "corrupted")}
        with self.net.in_training(own_generator_of(self.seed, "code", batch["index"])):
            super().training_step({**batch, **raised}, batch_idx)
