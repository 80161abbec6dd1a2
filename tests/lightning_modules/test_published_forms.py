"""The published forms have the published numbers and as many weights; at small sizes each takes a step and goes on."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_module

from conf.compose import plain
from conf.schema.check import check_train
from conf.settings import TrainSettings
from lightning_modules.commands.train import train
from lightning_modules.runs.checkpoint import build_restorer
from tests.test_readme import BESIDE_MUGAN, MUGAN, SMALL

ROOT = Path(__file__).parents[2]
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
SMALL_RECURRENT = [*SMALL["models.conv_rnn.ConvRNNPublished"], "model.net.fft_samples=64", "model.net.hop_samples=16"]
STAGED = ["model.stages.autoencoder.epochs=1"]
SEGAN = [*SMALL["models.segan.SEGANPublished"], *SMALL["models.segan_discriminator.SEGANDiscriminator"]]
SIZES = {
    "unet_published": SMALL["models.unet.UNet"],
    "tfilm_published": SMALL["models.tfilm.TFiLM"],
    "wavenet_denoiser_published": SMALL["models.wavenet_denoiser.WaveNetDenoiserPublished"],
    "fcn_raw_published": SMALL["models.fcn_raw.FCNRawPublished"],
    "fcn_raw_connected_published": SMALL["models.fcn_raw.ConnectedRawPublished"],
    "ddae_published": [*SMALL["models.ddae.DDAEPublished"], "model.pretraining_epochs=1"],
    "drdae_published": SMALL["models.recurrent_spectrum.DRDAEPublished"],
    "rnn_dft_published": SMALL["models.recurrent_spectrum.RNNDFTPublished"],
    "deep_feature_published": [*SMALL["models.dilated_denoiser.DilatedDenoiserPublished"], "model.stages.labels.epochs=1"],
    "segan_published": SEGAN,
    "segan_plus_published": SEGAN,
    "mugan_published": [*MUGAN, *BESIDE_MUGAN, *STAGED],
    "collaborative_gan_published": [*MUGAN, *BESIDE_MUGAN, "model.shaping.after_epochs=1"],
    "conv_rnn_published": SMALL_RECURRENT,
    "conv_rnn_anytime": ["model.net.state_channels=4", "model.net.hidden_channels=8"],
}


def composed(*given: str) -> dict[str, Any]:
    with initialize_config_module("conf"):
        config: dict[str, Any] = plain(compose("train", overrides=[*given, *NAMES]))
    check_train(config)
    return config


@pytest.mark.parametrize("name", [name for name in SIZES if name.endswith("_published")])
def test_nothing_is_clipped_or_averaged(name: str) -> None:
    config = composed(f"model={name}")
    norms = config["model"].get("gradient_clip_norms", {"net": config["model"].get("gradient_clip_norm")})
    assert set(norms.values()) == {None}
    assert config["ema_decay"] is None
    assert composed(f"model={name}", "ema_decay=0.9")["ema_decay"] == 0.9


def test_unet_and_recurrent_denoiser_learn_from_squared_errors() -> None:
    for name in ("unet_published", "conv_rnn_published"):
        assert composed(f"model={name}")["model"]["loss_weights"] == {"l2": 1.0, "l1": 0.0, "log_mse": 0.0, "mr_stft": 0.0}
    optimizer = composed("model=conv_rnn_published")["model"]["optimizer"]
    assert (optimizer["_target_"], optimizer["momentum"]) == ("torch.optim.SGD", 0.0)


def test_mugan_has_the_published_numbers() -> None:
    config = composed("experiment=super_resolve_piano_mugan_published", "data.root=data")
    model = config["model"]
    in_use = {name: weight for name, weight in model["loss_weights"].items() if weight}
    assert in_use == {"l2": 1.0, "feature": 1.0, "adversarial": 1e-3}
    players = ("generator", "discriminator", "autoencoder")
    assert [model[f"{player}_optimizer"]["lr"] for player in players] == [1e-4] * 3
    assert (config["data"]["batch_size"], config["corruption"]["interpolation"]) == (32, ["cubic"])
    assert model["discriminator"]["conditional"] is False
    assert model["stages"]["autoencoder"] == {"train": ["autoencoder"], "epochs": 400}
    assert config["trainer"]["max_epochs"] == 400 + 150


def test_refinement_has_the_published_numbers() -> None:
    model = composed("model=collaborative_gan_published")["model"]
    rule = {key: model["refinement"][key] for key in ("steps", "step_size", "rule", "momentum")}
    assert rule == {"steps": 20, "step_size": 0.1, "rule": "momentum", "momentum": 0.9}
    assert model["layer"] == 1
    assert composed("model=collaborative_gan_published", "refinement_steps=50")["model"]["refinement"]["steps"] == 50


SECOND_BIASES = 4 * (128 + 256 + 512 + 512 + 512 + 512 + 512 + 256 + 128)
"""Of the LSTMs of PyTorch, which the published count does not know."""


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("unet_published", {"net": 56_411_394}),
        ("tfilm_published", {"net": 68_221_186 + SECOND_BIASES}),
        ("wavenet_denoiser_published", {"net": 6_292_097}),
        ("deep_feature_published", {"net": 160_925}),
        ("fcn_raw_published", {"net": 12_705 + 6 * 3 * 15}),  # normalizations and PReLUs
        ("mugan_published", {"net": 48_942_561, "discriminator": 18_318_881 + 63 * 512 * 128}),
    ],
)
def test_published_sizes_are_exact(name: str, counts: dict[str, int]) -> None:
    config = composed(f"model={name}", "data.window_samples=8192")["model"]
    with torch.device("meta"):
        module = build_restorer(config)
    found = {network: sum(value.numel() for value in getattr(module, network).parameters()) for network in counts}
    assert found == counts


def test_table_of_deviations_has_every_published_form_and_an_effect_or_none_in_each_row() -> None:
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    section = page.split("## Where ours differ from the published forms")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    named = {name for row in rows for name in re.findall(r"`(\w+_published)`", row[0])}
    assert named == {path.stem for path in (ROOT / "conf" / "model").glob("*_published.yaml")}
    assert all(len(row) == 4 and (row[3] == "unmeasured" or "(results.md" in row[3]) for row in rows)


@pytest.mark.parametrize("name", SIZES)
def test_it_takes_a_step_and_goes_on(train_config: Callable[..., TrainSettings], tmp_path: Path, name: str) -> None:
    settings = ["trainer=smoke", f"model={name}", *SIZES[name], "examples=0", "data.batch_size=2"]
    first = train(train_config(*settings, "trainer.max_epochs=1"))
    assert (first["status"], first["epochs"]) == ("finished", 1)
    second = train(train_config(*settings, "trainer.max_epochs=2", f"resume={tmp_path / 'run'}"))
    assert (second["status"], second["epochs"]) == ("finished", 2)
