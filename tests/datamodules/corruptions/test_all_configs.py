"""Every corruption, by configuration and by class, keeps the contract of all corruptions; one added tomorrow is found here."""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hydra.utils import instantiate
from omegaconf import OmegaConf

from datamodules import corruptions
from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import Bandwidth, LowPass
from datamodules.corruptions.callables import AnyCallable
from datamodules.corruptions.chain import Chain, RandomApply
from datamodules.corruptions.clipping import Clipping
from datamodules.corruptions.impulses import Impulses
from datamodules.corruptions.levels import LevelAmplifier, LevelNoise
from datamodules.corruptions.noise import Noise
from datamodules.corruptions.pipeline import Identity, Pipeline
from datamodules.corruptions.quantization import Quantize
from datamodules.corruptions.reverb import Reverb
from datamodules.corruptions.torchaudio_effects import TorchaudioEffects
from tests.datamodules.corruptions import of_torchaudio
from tests.datamodules.corruptions.callables import Gargle, Tremolo
from tests.datamodules.corruptions.contracts import (
    AT_EVERY_RATE,
    CHECKS,
    RATE_HZ,
    RATES_HZ,
    Subject,
    check_nothing_is_late,
    lag_samples,
    music,
    seeded,
)

CONFIGS = sorted((Path(__file__).parents[3] / "conf" / "corruption").glob("*.yaml"))
CHANGES_LEVELS: dict[str, Any] = {"gain_tolerance_db": None}
OF_CONFIGS: dict[str, dict[str, Any]] = {
    "amplifier": {"gain_tolerance_db": 3.0},  # Its hum has a harmonic at 100 Hz, where levels are compared.
    "clipping": CHANGES_LEVELS,  # Lowers what is above its threshold.
    "compression": CHANGES_LEVELS,  # As clipping.
    "dequantize": CHANGES_LEVELS | {"latest_samples": 1},  # A value held for an even number of samples has no middle.
    "dereverb": CHANGES_LEVELS,  # Reflections amplify or cancel a single frequency.
    "echo": CHANGES_LEVELS,  # As reflections.
    "feedback": CHANGES_LEVELS,
    "freeverb": CHANGES_LEVELS,
    "restore": CHANGES_LEVELS,  # Clips.
    "noise": {"gain_tolerance_db": 0.3},  # What of it looks like the sine by chance: at 0 dB, brown noise has much at 100 Hz.
    "everyday_noise": {"gain_tolerance_db": 0.5},  # As noise and codec.
    "everyday_bandwidth": {"gain_tolerance_db": 0.5},  # As super_resolution and codec.
    "codec": {"gain_tolerance_db": 0.4},  # 8 kbit/s round a lone sine coarsely.
    "low_pass": {"gain_tolerance_db": 0.15},  # A Bessel filter of order 2 has lost 0.13 dB at a tenth of its cutoff.
    "super_resolution": {"gain_tolerance_db": 0.1},  # Filters with ripple in the pass band.
    "none": {"draws": False},
    "telephone": {"draws": False, "gain_tolerance_db": None},  # Removes what lies below 300 Hz, at which levels are compared.
    "impulses": {"keeps_silence": False, "gain_tolerance_db": 0.1},
    "pipeline": {"keeps_silence": False},
    "torchaudio": CHANGES_LEVELS | {"keeps_silence": False},  # Overdrive with color: its filter starts from nothing.
}
"""What holds beside the contract, by the name of the configuration, with the reason."""
OF_CLASSES: dict[str, Callable[[Path], Subject]] = {
    "bandwidth, aliased": lambda folder: Subject(Bandwidth([3000, 5000], aliased=0.5), gain_tolerance_db=0.1),
    "callable": lambda folder: Subject(AnyCallable(Tremolo()), **CHANGES_LEVELS),
    "callable, tensors": lambda folder: Subject(AnyCallable(Gargle(), takes="tensor"), **CHANGES_LEVELS),
    "chain, random order": lambda folder: Subject(Chain([LowPass(3000), Noise()], "random"), gain_tolerance_db=0.2),
    "clipping, soft": lambda folder: Subject(Clipping(shapes=["soft"]), **CHANGES_LEVELS),
    "identity": lambda folder: Subject(Identity(), draws=False),
    "impulses, clicks": lambda folder: Subject(Impulses(0.0, 0.01), keeps_silence=False),
    "level noise": lambda folder: Subject(LevelNoise("pink", 0.01, 0.02), keeps_silence=False),
    "low-pass, twice": lambda folder: Subject(LowPass([1500, 3500], passes=2), gain_tolerance_db=0.2),
    "noise, mixed": lambda folder: Subject(Noise(["white+brown", "tpdf"]), gain_tolerance_db=0.2),
    "noise, recorded": lambda folder: Subject(Noise(["recorded"], noise_root=str(folder / "noise")), gain_tolerance_db=0.2),
    "level amplifier": lambda folder: Subject(LevelAmplifier(0.5, 0.01, 0.02), keeps_silence=False, gain_tolerance_db=1.0),
    "pipeline, reverb": lambda folder: Subject(Pipeline("reverb 16000"), **CHANGES_LEVELS, draws=False),
    "pipeline, all": lambda folder: Subject(
        Pipeline(
            "echo 100 0.3 2,feedback 5 -3 1000,hum 0 0.01 60,amplifiernoise 0.001 0.01,"
            f"background 20 {folder / 'noise'},quantization 10,compression 20 4"
        ),
        **CHANGES_LEVELS,
        keeps_silence=False,
    ),
    "quantize, dithered": lambda folder: Subject(Quantize(["uniform"], dithered=1.0), gain_tolerance_db=0.2, keeps_silence=False),
    "quantize, causal": lambda folder: Subject(Quantize(["hold_causal"], hold_factor=[2, 9]), 4, **CHANGES_LEVELS),
    "random apply": lambda folder: Subject(RandomApply(Noise()), gain_tolerance_db=0.2),
    "reverb, recorded": lambda folder: Subject(Reverb(["recorded"], rir_root=str(folder / "rooms")), **CHANGES_LEVELS),
    "torchaudio, in a chain": lambda folder: Subject(
        Chain([RandomApply(TorchaudioEffects([{"overdrive": {"gain": [0, 20], "colour": 0}}])), Noise()]), **CHANGES_LEVELS
    ),
    **of_torchaudio.SUBJECTS,
}
"""Settings that no configuration has, at least one of each class that no configuration names."""
LATEST_AT_OTHER_RATES = {
    "codec": 2,  # Where Opus codes low and high frequencies by two coders, these are 45 microseconds apart.
    "reverb, recorded": 1,  # A direct sound that was recorded at another rate lies between two samples.
}
AT_ONE_RATE = {"pipeline, reverb"}
"""What names its sample rate works at no other."""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of recorded noises and of rooms."""
    folder, draw = tmp_path_factory.mktemp("recorded"), np.random.default_rng(0)
    for name in ("noise", "rooms"):
        (folder / name).mkdir()
    for number in range(20):
        soundfile.write(folder / "noise" / f"{number}.wav", 0.1 * draw.standard_normal(40_000), RATE_HZ)
        room = 0.05 * draw.standard_normal(4000) * np.exp(-np.arange(4000) / 500)
        room[: 10 * number] = 0
        room[10 * number] = 0.8
        soundfile.write(folder / "rooms" / f"{number}.wav", room, RATE_HZ)
    return folder


def build(path: Path) -> Corruption:
    config = OmegaConf.create({"data": {"sample_rate": RATE_HZ}, "corruption": OmegaConf.load(path)})
    assert not OmegaConf.missing_keys(config), f"{path.name} must be complete, so that it can be tried"
    built: Corruption = instantiate(config.corruption, _execution_whitelist_="datamodules.corruptions.*")
    return built


def subject_of(name: str, folder: Path) -> Subject:
    """Return what is to be held to the contract; what needs torchaudio is skipped where it cannot be loaded."""
    if "torchaudio" in name:
        of_torchaudio.require()
    if name in OF_CLASSES:
        return OF_CLASSES[name](folder)
    return Subject(build(next(path for path in CONFIGS if path.stem == name)), **OF_CONFIGS.get(name, {}))


NAMES = list(dict.fromkeys([*(path.stem for path in CONFIGS), *OF_CLASSES]))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str, check: Callable[..., None], recorded: Path) -> None:
    check(subject_of(name, recorded))


@pytest.mark.parametrize(("rate_hz", "channels"), list(zip(RATES_HZ, (1, 2, 1, 2), strict=True)))
@pytest.mark.parametrize("name", [name for name in NAMES if name not in AT_ONE_RATE])
def test_contract_at_every_rate(name: str, rate_hz: int, channels: int, recorded: Path) -> None:
    subject = subject_of(name, recorded)
    if name in LATEST_AT_OTHER_RATES:
        subject = replace(subject, latest_samples=LATEST_AT_OTHER_RATES[name])
    subject.corruption.check(rate_hz, channels)
    for check in AT_EVERY_RATE:
        check(subject, rate_hz, channels)


def test_every_class_is_held_to_the_contract(recorded: Path) -> None:
    modules = [import_module(f"{corruptions.__name__}.{module.name}") for module in pkgutil.iter_modules(corruptions.__path__)]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    concrete = {value for value in classes if issubclass(value, Corruption) and not inspect.isabstract(value)}
    tried = {type(subject_of(name, recorded).corruption) for name in NAMES if "torchaudio" not in name} | {TorchaudioEffects}
    assert {"Noise", "Chain", "Pipeline"} <= {value.__name__ for value in concrete}
    assert concrete <= tried, f"give {', '.join(sorted(value.__name__ for value in concrete - tried))} a line in OF_CLASSES"


def test_configurations_change_what_they_corrupt() -> None:
    assert len(CONFIGS) >= 10
    clean = music()
    without_needs = [path for path in CONFIGS if path.stem not in ("callable", "torchaudio")]
    assert [path.stem for path in without_needs if build(path)(clean, RATE_HZ, seeded()).equal(clean)] == ["none"]


@pytest.mark.parametrize("mode", ["hold", "hold_causal", "uniform", "mu_law"])
def test_only_the_causal_hold_is_late(mode: str) -> None:
    late = lag_samples(music(16), Quantize([mode], hold_factor=9)(music(16), RATE_HZ, seeded()))
    assert late.max() == {"hold_causal": 4}.get(mode, 0)
    if mode == "hold_causal":
        with pytest.raises(AssertionError, match="Quantize is 4 samples late"):
            check_nothing_is_late(Subject(Quantize([mode], hold_factor=9)))
