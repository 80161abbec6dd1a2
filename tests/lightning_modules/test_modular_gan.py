"""The modular GAN is trained as published: its losses, its warm-up, its schedules, and as many weights."""

from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_module
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch.optim.lr_scheduler import ReduceLROnPlateau

from conf.compose import plain
from conf.schema.check import check_train
from lightning_modules.modular_gan import ModularGANModule
from lightning_modules.training.warm_up import AfterSteps
from models.unet import UNet
from models.unet_autoencoder import UNetAutoencoder
from models.unet_discriminator import UNetDiscriminator
from tests.lightning_modules.tiny import QUIET, RATE_HZ, SGD, Pairs

TINY: dict[str, Any] = {"depth": 1, "channels": [4], "kernels": [9], "dropout": 0.0}
PLATEAU = partial(ReduceLROnPlateau, factor=0.5, threshold=1e-2, patience=10)
WEIGHTS = {"l2": 1.0, "feature": 0.5, "adversarial": 0.25}


def make(**settings: Any) -> ModularGANModule:
    torch.manual_seed(0)
    return ModularGANModule(
        net=UNet(**TINY),
        sample_rate=RATE_HZ,
        loss_weights=WEIGHTS,
        discriminator=partial(UNetDiscriminator, window_samples=64, conditional=False, **TINY),
        autoencoder=partial(UNetAutoencoder, **TINY),
        generator_optimizer=SGD,
        discriminator_optimizer=SGD,
        autoencoder_optimizer=SGD,
        adversary="bce_half",
        **settings,
    )


class Seen(pl.Callback):
    """Keep what is logged of every batch."""

    def __init__(self) -> None:
        self.values: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *others: Any) -> None:
        self.values.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def fit(module: ModularGANModule, epochs: int = 1, **settings: Any) -> tuple[pl.Trainer, list[dict[str, float]]]:
    seen = Seen()
    trainer = pl.Trainer(
        max_epochs=epochs,
        callbacks=[seen],
        enable_checkpointing=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        **QUIET,
        **settings,
    )
    trainer.fit(module, datamodule=Pairs())
    return trainer, seen.values


def test_losses_of_a_batch_are_those_of_the_formulas() -> None:
    module = make().eval()
    assert module.discriminator is not None and module.autoencoder is not None
    batch = Pairs().batch()
    clean, restored = batch["clean"], module.net(batch["corrupted"]) + 0.1
    of_clean, of_restored = (module.discriminator(signal, batch["corrupted"])[0] for signal in (clean, restored))
    ones, zeros = torch.ones_like(of_clean), torch.zeros_like(of_clean)
    loss_d = 0.5 * (binary_cross_entropy_with_logits(of_clean, ones) + binary_cross_entropy_with_logits(of_restored, zeros))
    assert torch.allclose(module.adversary.discriminator(of_clean, of_restored), loss_d)
    terms = module.reconstruction.terms(restored, clean) | module.composite_terms(batch, restored)
    encode: Any = module.autoencoder.encode
    by_hand = mse_loss(restored, clean) + 0.25 * binary_cross_entropy_with_logits(of_restored, ones)
    by_hand = by_hand + 0.5 * mse_loss(encode(restored), encode(clean))
    assert torch.allclose(sum(WEIGHTS[name] * term for name, term in terms.items()), by_hand)


def test_generator_has_ten_batches_of_reconstruction_alone() -> None:
    _, seen = fit(make(warm_up=AfterSteps(10)), epochs=6)
    assert [values["train/warm_up"] for values in seen] == [0.0] * 10 + [1.0] * 2
    assert "train/adversarial" not in seen[9] and "train/feature" not in seen[9]
    assert {"train/adversarial", "train/feature"} <= set(seen[10])
    assert all("discriminator/loss" in values and "autoencoder/loss" in values for values in seen)


def test_schedules_follow_the_losses_of_validation() -> None:
    module = make(schedulers={"generator": PLATEAU, "discriminator": PLATEAU})
    trainer, _ = fit(module)
    best = [config.scheduler.best for config in trainer.lr_scheduler_configs]
    logged = [float(trainer.callback_metrics[f"{name}/val_loss"]) for name in ("generator", "discriminator")]
    assert best == pytest.approx(logged)
    module.eval().requires_grad_(False)
    pairs = [module.validation_losses(batch, module.restore(batch["corrupted"])) for batch in Pairs().val_dataloader()]
    for name, value in zip(("generator", "discriminator"), logged, strict=True):
        assert sum(float(losses[name]) for losses in pairs) / len(pairs) == pytest.approx(value, rel=1e-5)
    wanted = [mse_loss(module.restore(batch["corrupted"]), batch["clean"]) for batch in Pairs().val_dataloader()]
    assert logged[0] == pytest.approx(float(sum(wanted)) / len(wanted), rel=1e-5)


def test_schedules_are_stepped_by_every_validation_and_halve_a_rate_after_their_patience() -> None:
    stuck = partial(ReduceLROnPlateau, factor=0.5, threshold=0.999, patience=2)
    module = make(schedulers={"generator": stuck})
    trainer, _ = fit(module, epochs=8, val_check_interval=3, check_val_every_n_epoch=None)
    (config,) = trainer.lr_scheduler_configs
    assert config.scheduler.last_epoch == 16 // 3
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.05 * 0.5)
    assert trainer.optimizers[1].param_groups[0]["lr"] == pytest.approx(0.05)


def test_validation_moves_no_statistic() -> None:
    module = make(schedulers={"generator": PLATEAU})
    trainer, _ = fit(module)
    before = {name: value.clone() for name, value in module.named_buffers() if "scores" not in name}
    trainer.validate(module, datamodule=Pairs(), verbose=False)
    assert all(torch.equal(value, dict(module.named_buffers())[name]) for name, value in before.items())


def test_schedule_that_waits_for_a_loss_to_rise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model.schedulers.generator.mode=max must be min: what is watched is a loss"):
        fit(make(schedulers={"generator": partial(ReduceLROnPlateau, mode="max")}))


def published() -> dict[str, Any]:
    names = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        return plain(compose("train", overrides=["experiment=piano_5_to_10khz_published", "data.root=data", *names]))


def test_published_experiment_has_the_published_numbers() -> None:
    config = published()
    check_train(config)
    model, data, trainer = config["model"], config["data"], config["trainer"]
    assert [model["loss_weights"][name] for name in ("l2", "l1", "log_mse", "mr_stft")] == [1, 0, 0, 0]
    assert [model[f"{player}_optimizer"]["lr"] for player in ("generator", "discriminator", "autoencoder")] == [1e-4] * 3
    schedule = {"mode": "min", "factor": 0.5, "patience": 10, "threshold": 1e-2}
    assert all(schedule.items() <= model["schedulers"][player].items() for player in ("generator", "discriminator"))
    assert (model["warm_up"]["steps"], model["adversary"], trainer["val_check_interval"]) == (10, "bce_half", 50)
    assert set(model["gradient_clip_norms"].values()) == {None} and config["ema_decay"] is None
    assert (data["window_samples"], data["stride_samples"], data["batch_size"], trainer["max_epochs"]) == (1024, 512, 32, 10)


def test_published_networks_have_as_many_weights() -> None:
    model = published()["model"]
    arguments = [
        {key: value for key, value in model[name].items() if not key.startswith("_")}
        for name in ("net", "discriminator", "autoencoder")
    ]
    with torch.device("meta"):
        networks = [kind(**given) for kind, given in zip((UNet, UNetDiscriminator, UNetAutoencoder), arguments, strict=True)]
    counts = [sum(weight.numel() for weight in network.parameters()) for network in networks]
    assert counts == [56_411_394, 5_714_177, 104_782_594]
