"""The Python face: arrays in, arrays of the same form out, and what restore.py would write."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import clarion
import restore
from conf.compose import group_files
from lightning_modules.base import RestorationModule
from models.unet import UNet

ROOT = Path(__file__).parent.parent
RATE_HZ = 8000
NET = {"_target_": "models.unet.UNet", "depth": 2, "channels": [4, 4], "kernels": [9, 9], "dropout": 0.0}
MODEL = {"_target_": "lightning_modules.base.RestorationModule", "sample_rate": 16000, "net": NET}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder whose network does something to 16 kHz."""
    torch.manual_seed(0)
    module = RestorationModule(UNet(depth=2, channels=[4, 4], kernels=[9, 9], dropout=0.0), 16000)
    for weights in module.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    folder = tmp_path_factory.mktemp("runs") / "r"
    (folder / "checkpoints").mkdir(parents=True)
    torch.save({"model_config": MODEL, "state_dict": module.state_dict()}, folder / "checkpoints" / "best.ckpt")
    return folder


@pytest.mark.parametrize(("rate_hz", "seconds", "channels"), [(16000, 1.3, 1), (22050, 9.7, 2)])
def test_restored_array_is_what_restore_writes(run: Path, tmp_path: Path, rate_hz: int, seconds: float, channels: int) -> None:
    signal = noise(channels, round(rate_hz * seconds))
    soundfile.write(tmp_path / "a.wav", signal.T, rate_hz, subtype="DOUBLE")
    settings = ["--strength", "0.75", "--keep-low-band", "300"]
    assert restore.main([str(run), str(tmp_path / "a.wav"), "-o", str(tmp_path / "out"), *settings, "--device", "cpu"]) == 0
    written = soundfile.read(tmp_path / "out" / "a.wav", always_2d=True)[0].T
    restored = clarion.load(run, device="cpu")(signal, rate_hz, strength=0.75, keep_low_band_hz=300)
    np.testing.assert_allclose(restored, written, atol=1e-7)
    assert np.abs(restored - signal).max() > 1e-3


@pytest.mark.parametrize("shape", [(3000,), (2, 3000), (2, 3, 3000)])
@pytest.mark.parametrize("form", [np.float32, np.float64, np.float16, torch.float32, torch.float64, torch.bfloat16])
def test_kind_shape_and_type_come_back(shape: tuple[int, ...], form: Any) -> None:
    array: Any = torch.from_numpy(noise(*shape)).to(form) if isinstance(form, torch.dtype) else noise(*shape).astype(form)
    for result in (clarion.load("wiener")(array, RATE_HZ), clarion.corrupt(array, RATE_HZ, "noise", snr_db=10)):
        assert type(result) is type(array)
        assert (result.shape, result.dtype) == (array.shape, array.dtype)
        assert bool((result != array).any())


def test_examples_of_a_batch_are_restored_by_themselves() -> None:
    restorer, batch = clarion.load("wiener"), np.stack([noise(1, 9000), 0.01 * noise(1, 9000, seed=1)])
    alone = np.stack([restorer(example, RATE_HZ) for example in batch])
    np.testing.assert_array_equal(restorer(batch, RATE_HZ), alone)


def test_level_is_kept_and_the_input_is_left_alone(run: Path) -> None:
    signal = noise(4000)
    before = signal.copy()
    restorer = clarion.load("wiener")
    np.testing.assert_allclose(restorer(0.01 * signal, RATE_HZ), 0.01 * restorer(signal, RATE_HZ), atol=1e-7)
    clarion.corrupt(signal, RATE_HZ, "clipping", depth_db=20)
    np.testing.assert_array_equal(signal, before)


def test_restored_tensor_can_be_trained_with(run: Path) -> None:
    signal = torch.from_numpy(noise(2000)).requires_grad_()
    gain = torch.ones(1, dtype=torch.float64, requires_grad=True)
    (gain * clarion.load(run)(signal, RATE_HZ)).square().sum().backward()
    assert float(gain.grad) > 0  # type: ignore[arg-type]


def test_noise_has_the_ratio_asked_for_and_the_seed_decides_it() -> None:
    clean = noise(RATE_HZ)
    first, again, other = (clarion.corrupt(clean, RATE_HZ, "noise", snr_db=5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 10 * np.log10(np.sum(clean**2) / np.sum((first - clean) ** 2)) == pytest.approx(5, abs=0.05)


@pytest.mark.parametrize("name", sorted(set(group_files("corruption")) - {"torchaudio", "callable"}))
def test_every_corruption_has_a_name(name: str) -> None:
    rate_hz = 44100
    clean = noise(rate_hz // 2)
    assert not np.array_equal(clarion.corrupt(clean, rate_hz, name), clean)


def test_scores_are_plain_numbers_of_what_works_at_the_rate() -> None:
    clean = noise(RATE_HZ)
    scores = clarion.score(0.5 * clean, torch.from_numpy(clean), RATE_HZ)
    assert scores["snr_db"] == pytest.approx(20 * np.log10(2), abs=1e-4)
    assert scores["si_sdr_db"] > 90
    assert {"lsd", "lsd_lf", "lsd_hf"} <= set(scores)
    assert "pesq_wb" not in scores
    assert {type(value) for value in scores.values()} == {float}
    silent = np.zeros(RATE_HZ)
    both = clarion.score(np.stack([silent, clean])[:, None], np.stack([clean, clean])[:, None], RATE_HZ)
    assert both["lsd"] == pytest.approx(clarion.score(silent, clean, RATE_HZ)["lsd"] / 2, rel=1e-5)


CLEAN = noise(2000)
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: clarion.load("nothing"), "nothing: no such checkpoint, run folder, shipped model ("),
    (lambda: clarion.load("wiener_oracle"), "no such checkpoint"),
    (lambda: clarion.load("wiener", device="tpu"), "device=tpu is not one of"),
    (lambda: clarion.load("wiener", trust=["os"]), "trust: os is part of"),
    (lambda: clarion.load("wiener")((CLEAN * 32767).astype(np.int16), RATE_HZ), "array holds int16; give floats of full scale 1"),
    (lambda: clarion.load("wiener")(torch.ones(9, dtype=torch.int32), RATE_HZ), "array holds torch.int32; give floats"),
    (lambda: clarion.load("wiener")([0.0], RATE_HZ), "array is a list"),  # type: ignore[type-var]
    (lambda: clarion.load("wiener")(np.zeros((2000, 2)), RATE_HZ), "(2000, 2), more channels than samples"),
    (lambda: clarion.load("wiener")(np.zeros((1, 1, 1, 9)), RATE_HZ), "must be (T,), (C, T) or (B, C, T)"),
    (lambda: clarion.load("wiener")(np.zeros(0), RATE_HZ), "must be (T,), (C, T) or (B, C, T), with samples"),
    (lambda: clarion.load("wiener")(np.array([0, np.nan]), RATE_HZ), "array holds NaN or infinite samples"),
    (lambda: clarion.load("wiener")(CLEAN, 0), "sample_rate_hz=0 must be a whole number"),
    (lambda: clarion.load("wiener")(CLEAN, 44100.5), "sample_rate_hz=44100.5 must be"),  # type: ignore[arg-type]
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, strenght=1), "unknown setting strenght; known: steps, step_size, strength"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, strength=2), "strength=2 must be between 0 and 1"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, strength="1"), "strength='1' must be a number"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, chunk_seconds=0.1), "chunk_seconds=0.1 must be at least 0.5"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, chunk_seconds=1, overlap_seconds=0.9), "overlap_seconds=0.9 must be"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, keep_low_band_hz=-1), "keep_low_band_hz=-1 must be"),
    (lambda: clarion.load("wiener")(CLEAN, RATE_HZ, steps=2), "steps=2: this method does not work in steps"),
    (lambda: clarion.corrupt(CLEAN, RATE_HZ, "nois"), "unknown corruption 'nois'; known: amplifier, callable, clipping,"),
    (
        lambda: clarion.corrupt(CLEAN, RATE_HZ, "noise", snr=5),
        "unknown setting snr of the corruption noise; known: colors, snr_db",
    ),
    (lambda: clarion.corrupt(CLEAN, RATE_HZ, "noise", snr_db="a"), "snr_db='a' is not a range"),
    (lambda: clarion.corrupt(CLEAN, RATE_HZ, "noise", colors=["recorded"], noise_root=Path("/nix")), "noise_root='/nix' is not"),
    (lambda: clarion.score(CLEAN, CLEAN[:-1], RATE_HZ), "restored has the shape (2000,) and clean (1999,)"),
]


@pytest.mark.parametrize(("call", "sentence"), REFUSED, ids=[sentence[:30] for _, sentence in REFUSED])
def test_what_cannot_be_done_is_a_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as told:
        call()
    assert "\n" not in str(told.value)


def in_python(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True)


def test_import_does_not_wait_for_torch(tmp_path: Path) -> None:
    heavy = "{'torch', 'numpy', 'hydra'}"
    assert in_python(f"import clarion, sys; print({heavy} & set(sys.modules))", tmp_path).stdout.strip() == "set()"


SCRIPTS = {"train": [], "evaluate": [], "restore": ["wiener", "a.wav", "-o", "out"], "compare": ["runs", "-o", "out"]}


@pytest.mark.parametrize("script", [None, *SCRIPTS])
def test_another_projects_models_is_named(tmp_path: Path, script: str | None) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    called = f"import {script}; {script}.main()" if script else "import clarion"
    path = f"import sys; sys.argv[1:] = {SCRIPTS.get(script or '', [])}; sys.path.insert(0, {str(tmp_path)!r})"
    done = in_python(f"{path}; {called}", tmp_path)
    assert done.returncode == 1
    assert f"but {tmp_path / 'models'}, which belongs to another project, is found first" in done.stderr.splitlines()[-1]
    assert ("Traceback" in done.stderr) is (script is None)


def test_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = map(float, run_example_of_the_page(0, capsys).split())
    assert after > before


def test_blocks_of_the_page_join_to_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert float(run_example_of_the_page(1, capsys)) < 1e-5


def run_example_of_the_page(number: int, capsys: pytest.CaptureFixture[str]) -> str:
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(programs[number], "python.md", "exec"), {})
    return capsys.readouterr().out
