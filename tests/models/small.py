"""The methods of conf/model with networks of a size that takes milliseconds, each with all else as its file says."""

from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from torch import nn

from conf.compose import FOLDER, plain
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_restorer
from tests.models.contracts import RATE_HZ, Subject

WINDOW_SAMPLES = 512
EPOCHS = 20
"""That a training otherwise decides on when it starts; a cosine needs to know."""
PACKAGES = {"wpe": "nara_wpe"}
"""Optional ones that methods need."""
RECURRENT = {"hidden_channels": 12, "fft_samples": 64, "hop_samples": 16}
TFILM = {"depth": 2, "channels": [6, 8], "kernels": [9, 5], "block_samples": 16, "segment_samples": 2048}
WAVENET = {"channels": 6, "stacks": 2, "dilations": 3, "head_channels": [6, 4], "segment_samples": 2048}
CONNECTED = {"layers": 2, "filters": 4, "taps": 5, "hidden": 16, "frame_samples": 32}
LOG_FRAMES = {"hidden": 12, "context": 3, "fft_samples": 64, "hop_samples": 16, "bands": 12}
SEGAN = {"channels": [6, 8], "taps": 9}
SIZES: dict[str, dict[str, Any]] = {
    "models.unet.UNet": {"depth": 2, "channels": [6, 8], "kernels": [9, 5]},
    "models.unet.UNetPublished": {"depth": 2, "channels": [6, 8], "kernels": [9, 5]},
    "models.tfilm.TFiLM": TFILM,
    "models.tfilm.TFiLMPublished": TFILM,
    "models.wavenet_denoiser.WaveNetDenoiser": WAVENET,
    "models.wavenet_denoiser.WaveNetDenoiserPublished": WAVENET,
    **{f"models.fcn_raw.{kind}": {"layers": 3, "filters": 12, "taps": 11} for kind in ("FCNRaw", "FCNRawPublished")},
    **{f"models.fcn_raw.{kind}": CONNECTED for kind in ("ConnectedRaw", "ConnectedRawPublished")},
    **{f"models.ddae.{kind}": LOG_FRAMES | {"hidden": [12, 8]} for kind in ("DDAE", "DDAEPublished")},
    **{f"models.recurrent_spectrum.{kind}": LOG_FRAMES for kind in ("DRDAE", "DRDAEPublished", "RNNDFT", "RNNDFTPublished")},
    "models.splice.SPLICE": {"components": 48, "fft_samples": 64, "hop_samples": 16, "bands": 12},
    **{f"models.segan.{kind}": SEGAN | {"segment_samples": 2048} for kind in ("SEGAN", "SEGANPublished")},
    "models.segan_discriminator.SEGANDiscriminator": SEGAN,
    "models.unet_autoencoder.UNetAutoencoder": {"depth": 2, "channels": [6, 8], "kernels": [9, 5]},
    "models.unet_discriminator.UNetDiscriminator": {"depth": 2, "channels": [6, 8], "kernels": [9, 5]},
    "models.mugan.MUGANGenerator": {"depth": 2, "filters": [8, 16], "kernels": [3, 9], "split": None},
    "models.autoencoder.Autoencoder": {"depth": 2, "filters": [8, 16], "kernels": [3, 9], "split": None},
    "models.discriminator.Discriminator": {"depth": 2, "filters": [4, 8, 16], "kernels": [3, 9], "split": None, "hidden": 8},
    "models.multi_discriminator.MultiDiscriminator": {"fft_samples": [64, 32], "periods_samples": [2, 3], "channels": 4},
    "models.discriminator.WindowDiscriminator": {
        "depth": 2,
        "filters": [4, 8, 16],
        "kernels": [3, 9],
        "split": None,
        "hidden": 8,
    },
    "models.conv_rnn.ConvRNN": RECURRENT | {"steps": 4},
    "models.conv_rnn.ConvRNNPublished": RECURRENT | {"steps": 4},
    "models.mask_net.MaskNet": {
        **{"channels": 8, "blocks": 2, "fft_samples": 64, "hop_samples": 16},
        **{"gain_channels": 4, "gain_fft_samples": 32, "gain_hop_samples": 8},
    },
    "models.mask_net_causal.MaskNetCausal": {"channels": 8, "blocks": 2, "fft_samples": 64, "hop_samples": 16},
    "models.band_net.BandNet": {"channels": 8, "blocks": 2},
    **{f"models.deep_prior.{kind}": {"levels": 2, "channels": 3, "steps": 4} for kind in ("DeepPrior", "DeepPriorPublished")},
    **{
        f"models.dilated_denoiser.{kind}": {"layers": 4, "channels": 12}
        for kind in ("DilatedDenoiser", "DilatedDenoiserPublished")
    },
    "models.dilated_denoiser.SoundClassifier": {"layers": 6, "channels": 4, "tasks": 1, "classes": 4},
    "models.mel_classifier.MelClassifier": {"bands": 16, "channels": 2, "tasks": 1, "classes": 4},
    "models.encoder_decoder.EncoderDecoder": {"filters": [6, 8]},
    "models.encoder_decoder.EncoderDecoderUNet": {"filters": [6, 8]},
    "models.encoder_decoder.EncoderDecoderPublished": {"filters": [6, 8]},
    "models.stereo_autoencoder.StereoAutoencoder": {"code_channels": 8, "hidden_channels": 6},
    "models.stereo_noise.StereoNoiseAutoencoder": {"code_channels": 8, "hidden_channels": 6},
    "models.cold_diffusion.ColdDiffusionRNN": RECURRENT | {"steps": 3},
}
"""By class; another class, such as a new one, is taken as its file has it."""


def names(root: Path = FOLDER) -> list[str]:
    """Return the files of `root`/model, but for those whose package is not installed."""
    missing = {name for name, package in PACKAGES.items() if find_spec(package) is None}
    return sorted({file.stem for file in (root / "model").glob("*.yaml")} - missing)


@cache
def description(name: str, root: Path = FOLDER) -> dict[str, Any]:
    """Return the resolved description of a method, as its file has it.

    Args:
        name: of a file in `root`/model.
        root: the folder of configurations.
    """
    sizes = [f"data.sample_rate={RATE_HZ}", f"data.window_samples={WINDOW_SAMPLES}", f"trainer.max_epochs={EPOCHS}"]
    with initialize_config_dir(str(root)):
        return plain(compose("train", [f"model={name}", *sizes]).model)


def shrunk(node: Any) -> Any:
    """Return a description with small networks, whatever it is that they belong to."""
    if not isinstance(node, dict):
        return deepcopy(node)
    small = {key: shrunk(value) for key, value in node.items()} | SIZES.get(str(node.get("_target_")), {})
    if small.get("state_channels") is not None:
        small["state_channels"] = 8
    return small


def with_few_steps(config: dict[str, Any]) -> dict[str, Any]:
    """Return a description whose network takes no more than four steps: what holds of four of a hundred holds of all."""
    net = config["net"]
    return config | {"net": net | {"steps": min(net["steps"], 4)}} if "steps" in net else config


def fresh(config: dict[str, Any]) -> RestorationModule:
    """Return a method as it starts its training."""
    torch.manual_seed(0)
    return build_restorer(config)


def untrained(config: dict[str, Any]) -> RestorationModule:
    """Return a method as it restores before any training."""
    return fresh(config).eval()


def eager(node: Any) -> Any:
    """Return a small description that can learn by heart: without dropout, fast, with states that can hold a patch, at once.

    Told a cut-off below all sound, a method that fills lost bands may change all of it.
    """
    if not isinstance(node, dict):
        return node
    wanted = {"dropout": 0.0, "lr": 3e-3, "hidden_channels": 96, "cutoff_hz": 20.0, "pretraining_epochs": 0}
    able = {key: eager(value) for key, value in node.items()} | {key: wanted[key] for key in node if key in wanted}
    if "stages" in able:
        everything = ["generator", "discriminator", "autoencoder", "net", "classifier"]
        able["stages"] = {"all": {"train": everything, "epochs": None}}
    return able | {"state_channels": 64} if able.get("state_channels") is not None else able


def with_weights(module: RestorationModule) -> RestorationModule:
    """Give every parameter that is zero at first a value, as training does."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.03)
    return module


def subject_of(config: dict[str, Any]) -> Subject:
    """Return what a description promises to be."""
    start, trained = untrained(config), with_weights(untrained(config))
    oracle = type(trained).is_oracle
    return Subject(start.net, trained.net, (lambda x: trained.restore_pair(x, 0.5 * x)) if oracle else trained.restore)
