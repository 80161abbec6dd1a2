"""The collaborative GAN: how a run starts from an adversarial one, and which ones it refuses."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lightning_modules.collaborative_gan import CollaborativeGANModule
from lightning_modules.runs.checkpoint import build_new_restorer, build_restorer
from lightning_modules.runs.starting import open_origin, start_from

ADAM = {"_target_": "torch.optim.Adam", "_partial_": True}
BASE = {
    "_target_": "lightning_modules.mugan.MUGANModule",
    "sample_rate": 4000,
    "loss_weights": {"l2": 1.0, "adversarial": 0.1, "feature": 0.0},
    "adversary": "hinge",
    "net": {"_target_": "models.mugan.MUGANGenerator", "depth": 2, "filters": [8, 8], "kernels": [3]},
    "discriminator": {
        "_target_": "models.discriminator.Discriminator",
        "_partial_": True,
        "depth": 1,
        "filters": [4, 4],
        "kernels": [3],
    },
    "autoencoder": {"_target_": "models.autoencoder.Autoencoder", "_partial_": True},
    "generator_optimizer": ADAM,
    "discriminator_optimizer": ADAM,
    "autoencoder_optimizer": ADAM,
}
FROM_BASE = BASE | {
    "_target_": "lightning_modules.collaborative_gan.CollaborativeGANModule",
    "adversary": "bce",
    "net": {"_target_": "models.unet.UNet"},
    "layer": 1,
    "refinement": {"_target_": "models.refinement.Refinement", "steps": 1},
    "shaping": {"_target_": "lightning_modules.training.shaping.Shaping"},
}


def finished_base(folder: Path, **change: Any) -> Path:
    config = BASE | change
    module = build_restorer(config)
    torch.save({"state_dict": module.state_dict(), "model_config": config}, folder / "base.ckpt")
    return folder / "base.ckpt"


def test_run_with_a_base_takes_over_its_networks_and_adversary(tmp_path: Path) -> None:
    file = finished_base(tmp_path)
    module = build_new_restorer(FROM_BASE | {"base": str(file)})
    assert isinstance(module, CollaborativeGANModule)
    start_from(module, open_origin("init_from", str(file)))
    saved = torch.load(file, weights_only=True)["state_dict"]
    for name in ("net", "discriminator"):
        loaded = {f"{name}.{key}": value for key, value in getattr(module, name).state_dict().items()}
        assert loaded.keys() == {key for key in saved if key.startswith(f"{name}.")}
        assert all(torch.equal(value, saved[key]) for key, value in loaded.items())
    assert module.adversary.generator.__name__ == "hinge_generator"
    assert module.first_shaping_epoch == 0


def test_base_may_be_the_job_of_a_sweep_whose_folder_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "3" / "checkpoints").mkdir(parents=True)
    finished_base(tmp_path).rename(tmp_path / "3" / "checkpoints" / "last.ckpt")
    monkeypatch.chdir(tmp_path)
    module = build_new_restorer(FROM_BASE | {"base": 3})
    nn.init.ones_(module.net.last.weight)  # type: ignore[union-attr, arg-type]
    start_from(module, open_origin("init_from", "3"))
    saved = torch.load(tmp_path / "3" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, saved[f"net.{name}"]) for name, value in module.net.state_dict().items())


def test_description_without_a_base_stays_as_it_is() -> None:
    assert CollaborativeGANModule.complete_description(FROM_BASE) == FROM_BASE


def test_base_without_a_discriminator_is_named(tmp_path: Path) -> None:
    file = finished_base(tmp_path, loss_weights={"l2": 1.0, "adversarial": 0.0})
    module = build_new_restorer(FROM_BASE | {"base": str(file)})
    with pytest.raises(ValueError, match=r"init_from=.*base.ckpt has no discriminator"):
        start_from(module, open_origin("init_from", str(file)))


def test_base_of_another_kind_or_rate_is_named(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "model_config": {"sample_rate": 4000}}, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match="was not written by an adversarial run"):
        CollaborativeGANModule.complete_description(FROM_BASE | {"base": str(tmp_path / "other.ckpt")})
    file = finished_base(tmp_path)
    module = build_new_restorer(FROM_BASE | {"base": str(file), "sample_rate": 8000})
    with pytest.raises(ValueError, match="works at 4000 Hz, this run at 8000 Hz"):
        start_from(module, open_origin("init_from", str(file)))


def test_a_checkpoint_opens_where_its_base_is_no_more(tmp_path: Path) -> None:
    description = BASE | {"base": str(tmp_path / "gone")} | {key: FROM_BASE[key] for key in ("_target_", "refinement", "shaping")}
    assert isinstance(build_restorer(description), CollaborativeGANModule)
    with pytest.raises(ValueError, match="gone: no such run folder, checkpoint file or shipped model"):
        build_new_restorer(description)
