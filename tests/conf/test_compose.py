"""Every configuration file composes, describes something that can be built, and every mistake in one is a sentence."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module

from conf.compose import FOLDER, baselines, exit_code_of, instantiate, method_config, methods_without_training, plain
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_restorer
from tests.models.small import names

GROUPS = ("model", "trainer", "logger", "corruption", "experiment", "data", "callbacks")
FRAGMENTS = {  # group: its place, and a model that has it
    "optimizer": ("model.optimizer", "unet_small"),
    "scheduler": ("model.scheduler", "unet_small"),
    "warm_up": ("model.warm_up", "mugan_small"),
    "discriminator": ("model.discriminator", "mugan_small"),
    "autoencoder": ("model.autoencoder", "mugan_small"),
    "balance": ("model.balance", "mugan_small"),
}
PARTS = [(group, path.stem) for group in FRAGMENTS for path in sorted((FOLDER / group).glob("*.yaml"))]
FILES = [(group, path.stem) for group in GROUPS for path in sorted((FOLDER / group).glob("*.yaml"))]
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]


@pytest.mark.parametrize(("group", "name"), FILES)
def test_every_file_composes_and_resolves(group: str, name: str) -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=[f"{group}={name}", *NAMES])
    assert plain(config)


@pytest.mark.parametrize(("group", "name"), PARTS)
def test_every_fragment_composes_in_its_place(group: str, name: str) -> None:
    place, model = FRAGMENTS[group]
    with initialize_config_module("conf"):
        config = compose("train", overrides=[f"model={model}", f"{group}@{place}={name}", "trainer.max_epochs=3", *NAMES])
    assert plain(config)["model"][place.removeprefix("model.")]["_target_"].startswith(
        ("torch.optim.", "lightning_modules.", "models.")
    )


def test_every_folder_of_fragments_is_known() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and any(path.glob("*.yaml"))}
    assert folders == {*GROUPS, *FRAGMENTS}


@pytest.mark.parametrize("name", [name for group, name in FILES if group == "corruption"])
def test_every_corruption_can_be_evaluated(name: str) -> None:
    with initialize_config_module("conf"):
        assert plain(compose("evaluate", overrides=[f"corruption={name}", *NAMES]))


def test_methods_without_training_restore_at_any_rate() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "model").glob("*.yaml")}
    recipes = [f"_target_: lightning_modules.{recipe}" for recipe in ("base.RestorationModule", "fitted.FittedModule")]
    untrained = sorted(name for name, text in files.items() if any(recipe in text for recipe in recipes))
    assert methods_without_training() == untrained
    assert {"wiener", "sinc", "linear_hold", "overdrive_inverse", "wpe"} <= set(methods_without_training())
    for name, module in baselines(set(names()) & set(methods_without_training()), 8000).items():
        assert isinstance(module, RestorationModule), name
        assert module.sample_rate == 8000


def test_method_with_parameters_that_needs_no_training_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    recipes = {"shipped": "base.RestorationModule", "told": "base.OracleModule", "raw": "single_step.SingleStepModule"}
    for name, recipe in recipes.items():
        head = f"_target_: lightning_modules.{recipe}\nsample_rate: ${{data.sample_rate}}\n"
        (tmp_path / "model" / f"{name}.yaml").write_text(f"{head}net: {{_target_: models.unet.UNet, depth: 2}}", encoding="utf-8")
    monkeypatch.setattr("conf.compose.FOLDER", tmp_path)
    assert methods_without_training() == ["shipped"]
    assert any(True for _ in baselines(["shipped"], 8000)["shipped"].parameters())
    with pytest.raises(ValueError, match="unknown method 'raw'; methods without training: shipped, told"):
        method_config("raw", 8000)


def test_unknown_method_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown method 'unet'; methods without training: akima_hold, .*, wiener_oracle, wpe$"):
        method_config("unet", 8000)


def test_mistake_in_a_constructor_keeps_its_own_sentence() -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=["corruption.snr_db=[20,0]", *NAMES])
    with pytest.raises(ValueError, match="snr_db"):
        instantiate(config.corruption)


@pytest.mark.parametrize(
    ("model", "override", "message"),
    [
        (
            "unet_small",
            "model.net.depth=3",
            "model.net.channels has 6 and model.net.kernels 6 entries; model.net.depth=3 needs 3",
        ),
        ("mugan_small", "model.net.depth=3", "model.net.filters has 6 entries; model.net.depth=3 needs 3"),
        ("mugan_small", "model.net.reduction=3", "model.net.reduction=3 must divide"),
        ("mugan_small", "model.discriminator.norm=odd", "unknown model.discriminator.norm 'odd'"),
        ("mugan_small", "model.discriminator.kernels=[4]", "model.discriminator.kernels must be odd"),
        (
            "mugan_small",
            "model.autoencoder.depth=3",
            "model.autoencoder.filters has 4 entries; model.autoencoder.depth=3 needs 3",
        ),
        ("unet_gan", "model.discriminator.window_samples=3", "model.discriminator.window_samples must be a multiple of 16 = 2"),
        ("unet_gan", "model.autoencoder.norm=odd", "unknown model.autoencoder.norm 'odd'"),
        ("autoencoder_small", "model.net.latent_channels=3", "model.net.latent_channels must be a multiple of 4; got 3"),
        ("conv_rnn", "model.net.steps=0", "model.net.steps=0 must be a whole number"),
        ("conv_rnn_single_step", "model.net.inner_steps=0", "model.net.inner_steps=0 must be a whole number"),
        ("conv_rnn", "model.compared_steps=0", "model.compared_steps=0 must be a whole number"),
        ("mugan_small", "model.discriminator_steps=0", "model.discriminator_steps=0 must be a whole number"),
    ],
)
def test_mistake_in_a_network_is_told_by_its_key(model: str, override: str, message: str) -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=[f"model={model}", override, *NAMES])
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        build_restorer(plain(config.model))


def test_target_outside_the_project_is_refused() -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=["corruption._target_=os.getcwd", *NAMES])
    with pytest.raises(ValueError, match="os.getcwd"):
        instantiate(config.corruption)


def test_error_is_printed_in_one_line_and_becomes_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def job() -> int:
        raise ValueError("first\n  second")

    assert exit_code_of(job) == 1
    assert capsys.readouterr().err == "error: first second\n"


def test_other_failures_are_not_hidden() -> None:
    def job() -> int:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        exit_code_of(job)


def test_package_holds_its_files() -> None:
    assert (FOLDER / "train.yaml").is_file()
    assert Path(FOLDER / "__init__.py").is_file()
