"""Every command of the README and of the pages in docs/ runs."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from hydra import compose, initialize_config_module
from omegaconf import DictConfig

import compare
import export
import restore
from conf.settings import evaluate_settings, train_settings
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.export import PACKAGES
from lightning_modules.commands.train import train
from lightning_modules.runs.shipped import shipped_names, with_shipped_models
from sweeps.arguments import as_hydra_takes
from sweeps.from_run import with_earlier_run
from sweeps.report.manifests import evaluation_id
from sweeps.report.runs import read_run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = "\n".join([README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))])
LINES = dict.fromkeys(re.findall(r"^    (\S.*)$", PAGES, flags=re.MULTILINE))
COMMANDS = [line for line in LINES if not line.endswith("\\") and "$" not in line]  # those are of the account of a sweep
TRAIN, EVALUATE, RESTORE, COMPARE, EXPORT = (
    [shlex.split(command)[2:] for command in COMMANDS if command.startswith(f"python {script}.py")]
    for script in ("train", "evaluate", "restore", "compare", "export")
)
AGAIN = [arguments for arguments in TRAIN if arguments[0] == "--from-run"]
TRAIN = [arguments for arguments in TRAIN if arguments[0] not in ("-m", "--from-run")]  # tests/sweeps runs the sweeps
Replace = Callable[..., list[str]]
NAMES = ["choices.model=m", "choices.data=d", "choices.corruption=c"]
QUICK = {  # whatever the command, it is to take seconds
    "train": ["trainer.max_epochs=1", "trainer.max_time=null", "trainer.limit_train_batches=1", "logger=csv", "examples=1"],
    "evaluate": ["trainer.accelerator=cpu", "examples=1", "baselines=[sinc]", "test_probes=[noharm_db]"],
}
FEATURES = {"FEATURES": "deep_feature", "MEL": "deep_feature_mel"}
RUNS = {"runs/NAME": "unet_small", "runs/PROGRESSIVE": "conv_rnn", "runs/MUGAN": "mugan_small"}
RUNS |= {"runs/REFINED": "collaborative_gan_small", "runs/STEREO": "stereo_autoencoder data.channels=2"}
RUNS |= {f"runs/{run}": f"{model} model.stages.labels.epochs=1" for run, model in FEATURES.items()}
UNET = ["model.net.channels=[4,8]", "model.net.kernels=[9,5]", "model.net.depth=2"]
MUGAN = ["model.net.filters=[8,8]", "model.net.depth=2"]
BESIDE_MUGAN = ["model.discriminator.depth=2", "model.discriminator.filters=[4,4,4]"]
BESIDE_MUGAN += ["model.autoencoder.depth=2", "model.autoencoder.filters=[8,8]"]
BESIDE_UNET = ["model.discriminator.channels=[4,8]", "model.discriminator.kernels=[9,5]", "model.discriminator.depth=2"]
BESIDE_UNET += ["model.autoencoder.channels=[4,8]", "model.autoencoder.kernels=[9,5]", "model.autoencoder.depth=2"]
WAVENET = ["model.net.channels=4", "model.net.stacks=1", "model.net.dilations=3", "model.net.head_channels=[4,4]"]
SMALL = {  # by the class of a network
    "models.unet.UNet": UNET,
    "models.unet.UNetPublished": UNET,
    "models.tfilm.TFiLM": UNET,
    "models.wavenet_denoiser.WaveNetDenoiser": WAVENET,
    "models.wavenet_denoiser.WaveNetDenoiserPublished": WAVENET,
    "models.fcn_raw.FCNRaw": ["model.net.filters=4"],
    "models.fcn_raw.FCNRawPublished": ["model.net.filters=4"],
    "models.fcn_raw.ConnectedRaw": ["model.net.filters=4", "model.net.hidden=8"],
    "models.fcn_raw.ConnectedRawPublished": ["model.net.filters=4", "model.net.hidden=8"],
    **{f"models.ddae.{kind}": ["model.net.hidden=[8,8]"] for kind in ("DDAE", "DDAEPublished")},
    **{
        f"models.recurrent_spectrum.{kind}": ["model.net.hidden=8"]
        for kind in ("DRDAE", "DRDAEPublished", "RNNDFT", "RNNDFTPublished")
    },
    "models.splice.SPLICE": ["model.net.components=4"],
    **{f"models.segan.{kind}": ["model.net.channels=[4,8]"] for kind in ("SEGAN", "SEGANPublished")},
    "models.segan_discriminator.SEGANDiscriminator": ["model.discriminator.channels=[4,8]"],
    "models.mugan.MUGANGenerator": MUGAN,
    "models.autoencoder.Autoencoder": MUGAN,
    "models.conv_rnn.ConvRNNPublished": ["model.net.hidden_channels=8", "model.net.steps=2"],
    "models.conv_rnn.ConvRNN": ["model.net.state_channels=4", "model.net.hidden_channels=8"],
    "models.band_net.BandNet": ["model.net.channels=4", "model.net.blocks=1"],
    "models.mask_net.MaskNet": ["model.net.channels=4", "model.net.blocks=1"],
    "models.mask_net_causal.MaskNetCausal": ["model.net.channels=4", "model.net.blocks=1"],
    "models.dilated_denoiser.DilatedDenoiser": ["model.net.channels=4", "model.classifier.channels=2"],
    "models.dilated_denoiser.DilatedDenoiserPublished": ["model.net.channels=4", "model.classifier.channels=2"],
    "models.stereo_autoencoder.StereoAutoencoder": ["model.net.code_channels=8"],
    "models.stereo_noise.StereoNoiseAutoencoder": ["model.net.code_channels=8"],
    "models.encoder_decoder.EncoderDecoder": ["model.net.filters=[4,8]"],
    "models.discriminator.Discriminator": BESIDE_MUGAN,
    "models.discriminator.WindowDiscriminator": BESIDE_MUGAN,
    "models.multi_discriminator.MultiDiscriminator": ["model.discriminator.channels=4", *BESIDE_MUGAN[2:]],
    "models.unet_discriminator.UNetDiscriminator": BESIDE_UNET,
}


def test_readme_names_every_script_and_is_short() -> None:
    assert TRAIN
    assert EVALUATE
    assert RESTORE
    assert COMPARE
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 1600
    assert max(map(len, README.splitlines())) <= 120


def test_make_targets_of_the_readme_exist_and_run_in_ci() -> None:
    makefile, ci = (ROOT / "Makefile").read_text(encoding="utf-8"), (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for target in {command.split()[1] for command in COMMANDS if command.startswith("make ")}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
        assert f"make {target}" in ci


def shrunk(overrides: list[str]) -> DictConfig:
    """Compose a training whose network is small, unless it takes the weights of a shipped one."""
    with initialize_config_module("conf"):
        config = compose("train", overrides=overrides)
        if config.init_from in shipped_names():
            return config
        networks = [config.model.net, *([config.model.discriminator] if "discriminator" in config.model else [])]
        return compose("train", overrides=[*overrides, *(small for net in networks for small in SMALL[net._target_])])


@pytest.fixture(scope="module")
def trained(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that gives the folder of a run, trained when it is first asked for."""

    @cache
    def run(name: str, *overrides: str) -> Path:
        folder = tmp_path_factory.mktemp("runs") / Path(name).name
        names = [*f"model={RUNS[name]}".split(), f"run_name={folder.name}", f"run_dir={folder}"]
        train(train_settings(shrunk([*tiny, *NAMES, *QUICK["train"], *names, *overrides])))
        return folder

    return run


@pytest.fixture
def with_runs(trained: Callable[..., Path], tmp_path: Path) -> Replace:
    """Return a function that puts copies of the runs that an argument list names, trained as overrides say, in their place."""

    def replace(arguments: list[str], *overrides: str) -> list[str]:
        for name in RUNS:
            if any(argument.endswith(name) for argument in arguments):
                shutil.copytree(trained(name, *overrides), tmp_path / name)
                arguments = [argument.replace(name, str(tmp_path / name)) for argument in arguments]
        return arguments

    return replace


@pytest.fixture(scope="module")
def autoencoder_run(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the autoencoder that another command takes over, at the data's default rate."""
    folder = tmp_path_factory.mktemp("autoencoder") / "NAME"
    rate = ["data.sample_rate=44100", "data.window_samples=4096", "trainer=cpu", "model=autoencoder", *MUGAN]
    with initialize_config_module("conf"):
        given = [*tiny, *NAMES, *QUICK["train"], *rate, "run_name=NAME", f"run_dir={folder}"]
        train(train_settings(compose("train", overrides=given)))
    return folder


@pytest.mark.pages
@pytest.mark.parametrize("overrides", TRAIN, ids=" ".join)
def test_training_command_runs(
    overrides: list[str],
    music: Path,
    tmp_path: Path,
    make_maestro: Callable[[Path, str], Path],
    autoencoder_run: Path,
    with_runs: Replace,
) -> None:
    root = make_maestro(tmp_path / "maestro", "v3") if "data=maestro" in overrides else music
    given = [override.replace("=DIR", f"={root}").replace("=FOLDER", f"={tmp_path}") for override in overrides]
    given = [override.replace("checkpoint=runs/NAME", f"checkpoint={autoencoder_run}") for override in given]
    given = with_runs(given, "data.sample_rate=16000", "data.window_samples=4096")
    cache = [f"data.cache_dir={tmp_path / 'cache'}", "data.batch_size=1", "data.eval_seconds=1", "data.window_samples=4096"]
    of_files = any(override.startswith("experiment=") for override in given) and "data.root" in " ".join(given)
    everything = ["data.pattern=*", "data.split=recordings"] if of_files else []
    config = shrunk([*given, *everything, *cache, *NAMES, *QUICK["train"], "run_name=r", f"run_dir={tmp_path / 'r'}"])
    assert train(train_settings(config))["status"] == "finished"


@pytest.mark.pages
@pytest.mark.parametrize("arguments", AGAIN, ids=" ".join)
def test_training_again_runs(arguments: list[str], with_runs: Replace, tmp_path: Path) -> None:
    given = with_runs(arguments, "choices.model=unet_small", "choices.data=folder", "choices.corruption=noise")
    names = [*NAMES, "run_name=again", f"run_dir={tmp_path / 'again'}"]
    repeated = as_hydra_takes(with_earlier_run(given))[0]
    with initialize_config_module("conf"):
        config = compose("train", overrides=[*repeated, *names])
    assert train(train_settings(config))["status"] == "finished"


@pytest.fixture(scope="module")
def noisy_music(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the same recordings with noise."""
    folder, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(0)
    for path in music.glob("*.wav"):
        audio, rate_hz = soundfile.read(path)
        soundfile.write(folder / path.name, audio + 0.01 * draw.standard_normal(audio.shape), rate_hz)
    return folder


@pytest.mark.pages
@pytest.mark.parametrize("overrides", EVALUATE, ids=" ".join)
def test_evaluation_command_runs(
    overrides: list[str], with_runs: Replace, music: Path, noisy_music: Path, tiny: list[str], tmp_path: Path
) -> None:
    placed = [override.replace("noisy_root=DIR", f"noisy_root={noisy_music}") for override in overrides]
    given = with_shipped_models(with_runs([override.replace("=DIR", f"={music}") for override in placed]))
    fewer = ["model.net.steps=4"] if "model=dnp" in overrides else []
    quick = [*tiny[2:], *NAMES, *QUICK["evaluate"], *fewer, "run_name=e", f"run_dir={tmp_path / 'e'}"]
    with initialize_config_module("conf"):
        config = compose("evaluate", overrides=[*given, *quick])
    assert evaluate(evaluate_settings(config))["status"] == "finished"


@pytest.mark.pages
@pytest.mark.parametrize("arguments", RESTORE, ids=" ".join)
def test_restoring_command_runs(
    arguments: list[str], with_runs: Replace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = with_runs(arguments)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("song.flac", "talk.wav", "noise.flac", "folder/other.flac", "a = b, c.wav"):
        soundfile.write(tmp_path / name, 0.1 * np.sin(np.arange(16000) * 0.2), 16000)
    assert restore.main(given) == 0
    wanted = 2 if "folder/" in given else 1
    written = [path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) == wanted * (1 + ("--pictures" in given)) and written.count(".png") == wanted * ("--pictures" in given)


@pytest.mark.pages
@pytest.mark.parametrize("arguments", EXPORT, ids=" ".join)
def test_exporting_command_runs(
    arguments: list[str], with_runs: Replace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not all(find_spec(package) for package in PACKAGES):
        pytest.skip("needs the export extra")
    given = with_runs(arguments)
    monkeypatch.chdir(tmp_path)
    assert export.main(given) == 0
    assert (tmp_path / given[-1]).is_file()


@pytest.fixture
def compared(with_runs: Replace, tmp_path: Path) -> str:
    """Put a run where the README has its runs, with a vote on it, and return the id of its test pairs."""
    (folder,) = with_runs(["runs/NAME"])
    shutil.copytree(folder, tmp_path / "multirun" / "0")
    shutil.copytree(folder, tmp_path / "evaluations" / "0")
    pairs = evaluation_id(read_run(Path(folder), "NAME"))
    vote = {"example": 0, "condition": "corrupted", "score": 40}
    ballot = {"evaluation": pairs, "session": "s", "listener": "", "test": "mushra", "votes": [vote]}
    (tmp_path / "votes-1.json").write_text(json.dumps(ballot), encoding="utf-8")
    return pairs


@pytest.mark.pages
@pytest.mark.parametrize("arguments", COMPARE, ids=" ".join)
def test_comparing_command_runs(arguments: list[str], compared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    there = {"ID": compared, "votes-*.json": "votes-1.json", "RUNS": "1"}
    given = [there.get(argument, argument) for argument in arguments]
    assert compare.main(given) == 0
    assert len(list((tmp_path / "report").rglob("index.html"))) == 1


def test_choices_of_the_table_are_the_files_there_are() -> None:
    for group in ("data", "corruption", "trainer", "logger", "callbacks", "experiment"):
        lines = [line for line in PAGES.splitlines() if line.startswith(f"| `{group}` |")]
        files = {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")} - {"test"}
        assert any(files <= set(re.findall(r"`([a-z0-9_]+)`", line)) for line in lines), group


def test_keys_named_in_the_corruption_table_exist() -> None:
    for line in PAGES.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        path = ROOT / "conf" / "corruption" / f"{cells[0].strip('`')}.yaml"
        if len(cells) == 3 and path.is_file():
            keys = set(yaml.safe_load(path.read_text(encoding="utf-8")))
            assert set(re.findall(r"`([a-z0-9_]+)`", cells[2])) <= keys, path.stem
