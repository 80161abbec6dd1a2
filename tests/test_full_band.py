"""Full band and stereo are ordinary: the experiments at 44.1 and 48 kHz train, are tested and restore a stereo file."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hydra import compose, initialize_config_module

import restore
from conf.settings import train_settings
from lightning_modules.commands.train import train

RATES_HZ = {"denoise_stereo": 48_000, "super_resolve_stereo": 44_100}
SMALL = ["model.net.channels=[4,8]", "model.net.kernels=[9,5]", "model.net.depth=2"]
QUICK = ["trainer=cpu", "trainer.max_epochs=1", "trainer.limit_train_batches=1", "logger=csv", "examples=1", "baselines=[sinc]"]
NAMES = ["choices.model=m", "choices.data=d", "choices.corruption=c", "run_name=r"]


@pytest.mark.parametrize("name", list(RATES_HZ))
def test_experiment_trains_and_restores_in_stereo(name: str, tmp_path: Path) -> None:
    rate_hz, rows = RATES_HZ[name], ["file,split,bandwidth_hz_estimate"]
    for number, split in enumerate(("train", "val", "test")):
        music = 0.1 * np.random.default_rng(number).standard_normal((rate_hz, 2))
        music[:, 1] = 0.8 * music[:, 0] + 0.2 * music[:, 1]
        soundfile.write(tmp_path / f"{number}.flac", music, rate_hz)
        rows.append(f"{number}.flac,{split},{rate_hz // 2}")
    (tmp_path / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    places = [f"data.root={tmp_path}", f"data.cache_dir={tmp_path / 'cache'}", f"run_dir={tmp_path / 'r'}"]
    with initialize_config_module("conf"):
        given = [f"experiment={name}", *places, *NAMES, *QUICK, *SMALL, "data.window_samples=4096", "data.batch_size=1"]
        result = train(train_settings(compose("train", overrides=[*given, "data.eval_seconds=0.5"])))
    assert (result["status"], result["sample_rate_hz"]) == ("finished", rate_hz)
    assert restore.main([str(tmp_path / "r"), str(tmp_path / "2.flac"), "-o", str(tmp_path / "out")]) == 0
    info = soundfile.info(tmp_path / "out" / "2.flac")
    assert (info.samplerate, info.channels, info.frames) == (rate_hz, 2, rate_hz)
