"""What a recipe promises of its training, on one batch: every weight is trained, and the batch can be learned by heart."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.base import RestorationModule
from models.spectral_restorer import SpectralRestorer
from tests.models.contracts import RATE_HZ, BrokenContractError
from tests.models.small import WINDOW_SAMPLES

BATCH = 4


def pairs(channels: int = 1) -> dict[str, Tensor]:
    """Return one batch of sines in white noise 10 dB below them, every further channel at half of the level."""
    time = torch.arange(WINDOW_SAMPLES) / RATE_HZ
    clean = torch.stack([torch.sin(2 * torch.pi * hz * time) for hz in (110, 220, 440, 880)])[:, None] * 0.5
    clean = clean * 0.5 ** torch.arange(channels)[:, None]
    noise = 0.11 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    return {"clean": clean, "corrupted": clean + noise, "index": torch.arange(BATCH), "labels": torch.arange(BATCH)[:, None]}


class OneBatch(pl.LightningDataModule):
    """The same batch again and again.

    Args:
        batches: of an epoch.
        channels: of its signals.
    """

    sample_rate = RATE_HZ
    cutoff_hz = None
    seed = 0

    def __init__(self, batches: int, channels: int = 1) -> None:
        super().__init__()
        self.batches, self.channels = batches, channels

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader([pairs(self.channels)] * self.batches, batch_size=None)  # type: ignore[arg-type]

    val_dataloader = train_dataloader


def fit(module: RestorationModule, batches: int, *callbacks: pl.Callback) -> None:
    """Train a method by its own recipe, on one batch that comes again and again."""
    trainer = pl.Trainer(
        max_epochs=1,
        limit_val_batches=0,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )
    trainer.fit(module, OneBatch(batches, channels_of(module)))


def channels_of(module: RestorationModule) -> int:
    """Return how many channels a method takes, 1 if it takes any."""
    return getattr(module.net, "channels", None) or 1


class Reached(pl.Callback):
    """Note which parameters an optimizer has stepped by a gradient that is not zero."""

    def __init__(self) -> None:
        self.held: set[nn.Parameter] = set()
        self.reached: set[nn.Parameter] = set()

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.held |= set(parameters)
        self.reached |= {parameter for parameter in parameters if parameter.grad is not None and parameter.grad.any()}


def without_effect(network: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the biases that a batch normalization takes away again."""
    for module in network.modules():
        if isinstance(module, nn.Sequential) and isinstance(module[-1], nn.BatchNorm1d):
            yield from (parameter for name, parameter in module[0].named_parameters() if name.endswith("bias"))


def require_every_weight_trained(module: RestorationModule) -> None:
    """Hold that after two steps of every network a gradient has reached every parameter that takes one."""
    module.prepare_training()
    reached = Reached()
    fit(module, 2 * getattr(module, "discriminator_steps", 1), reached)
    trained = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad and parameter.numel()}
    strange = [name for name, parameter in trained.items() if parameter not in reached.held]
    if strange:
        raise BrokenContractError(f"no optimizer has {', '.join(strange)}: give it to one, or set requires_grad_(False)")
    excused = set(without_effect(module))
    idle = [name for name, parameter in trained.items() if parameter not in reached.reached | excused]
    if idle:
        raise BrokenContractError(
            f"after two steps no gradient has reached {', '.join(idle)}: use it in forward, look for a detach or a zero that "
            "blocks it, or remove it"
        )


def snr_db(estimate: Tensor, clean: Tensor) -> float:
    """Return the signal-to-noise ratio of a batch."""
    return float(10 * torch.log10(clean.square().sum() / (estimate - clean).square().sum()))


def noisy_phase_oracle_db(batch: dict[str, Tensor], fft_samples: int, hop_samples: int) -> float:
    """Return the signal-to-noise ratio of the clean magnitudes under the phase of the corrupted signal."""
    window = torch.hann_window(fft_samples)
    settings = {"n_fft": fft_samples, "hop_length": hop_samples, "window": window}
    clean, corrupted = (
        torch.stft(batch[name].flatten(0, 1), **settings, return_complex=True, pad_mode="constant")
        for name in ("clean", "corrupted")
    )
    restored = torch.istft(clean.abs() * torch.sgn(corrupted), **settings, length=WINDOW_SAMPLES)
    return snr_db(restored[:, None], batch["clean"])


def known_spectrum_db(net: SpectralRestorer, batch: dict[str, Tensor]) -> float:
    """Return the signal-to-noise ratio of a network on log spectra that finds the clean one."""
    knowing, wanted = deepcopy(net), net.features_of(batch["corrupted"], batch["clean"])[1]
    knowing.enhanced = lambda _: wanted  # type: ignore[method-assign]
    with torch.no_grad():
        return snr_db(knowing(batch["corrupted"]), batch["clean"])


def require_batch_learned(module: RestorationModule, steps: int) -> None:
    """Hold that a method learns one batch above 20 dB, or up to a decibel below what its fixed phase allows."""
    module.prepare_training()
    fit(module, steps)
    batch, wanted_db = pairs(channels_of(module)), 20.0
    spectrum = getattr(module.net, "spectrum", None)
    if getattr(spectrum, "channels", 2) == 1:
        wanted_db = min(wanted_db, noisy_phase_oracle_db(batch, spectrum.fft_samples, spectrum.hop_samples) - 1)
    if isinstance(module.net, SpectralRestorer):
        wanted_db = min(wanted_db, known_spectrum_db(module.net, batch) - 2)
    with torch.no_grad():
        reached_db = snr_db(module.eval().restore_pair(batch["corrupted"], batch["clean"]), batch["clean"])
    if reached_db < wanted_db:
        raise BrokenContractError(
            f"{type(module.net).__name__} reaches {reached_db:.1f} dB on one batch in {steps} steps, not {wanted_db:.1f}: look "
            "for what keeps it from learning, such as a rate, a detach, a layer that is cut off, or the wrong loss"
        )
