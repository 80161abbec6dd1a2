"""Where a band is to be restored, recordings that have nothing there are no targets."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.bandwidths import wide_enough
from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.noise import Noise
from datamodules.restoration import RestorationDataModule
from datamodules.sources import Recording
from datamodules.sources.folder import FolderSource

BANDS_HZ = {"full": "7900", "wall": "6000", "unknown": "", "edge": "6800"}


def recording(name: str, bandwidth_hz: float | None) -> Recording:
    return Recording(name, 1.0, "train", name, bandwidth_hz=bandwidth_hz)


def test_only_known_and_lower_estimates_are_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    listed = [recording("a", 6000.0), recording("b", 6800.0), recording("c", None), recording("d", 5000.0)]
    assert [item.path for item in wide_enough(listed, 6800.0)] == ["b", "c"]
    (line,) = caplog.messages
    assert line.startswith("left out 2 of 4 recordings, which hold nothing above 6000 Hz or less (e.g. a)")
    assert line.endswith("for a band up to 8000 Hz; data.narrow_targets=true uses them")
    assert wide_enough(listed, None) == listed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = ["file,split,bandwidth_hz_estimate"]
    for split in ("train", "val", "test"):
        for number, (name, band) in enumerate(BANDS_HZ.items()):
            seed = 10 * len(split) + number + (split == "val")
            soundfile.write(tmp_path / f"{split}_{name}.wav", 0.1 * np.random.default_rng(seed).standard_normal(8000), 16_000)
            rows.append(f"{split}_{name}.wav,{split},{band}")
    (tmp_path / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("how", ["recordings", "time"])
@pytest.mark.parametrize(
    ("corruption", "narrow", "left_out"),
    [(Bandwidth(4000), False, True), (Bandwidth(4000), True, False), (Noise(), False, False)],
    ids=["super-resolution", "asked for", "noise"],
)
def test_band_limits_decide_what_is_evaluated(
    root: Path, tmp_path: Path, corruption: Corruption, narrow: bool, left_out: bool, how: str
) -> None:
    options = {"window_samples": 256, "eval_seconds": 0.05, "cache": False, "narrow_targets": narrow, "split": how}
    if how == "time":
        for path in root.glob("*.wav"):
            soundfile.write(path, np.tile(soundfile.read(path)[0], 10), 16_000)
    data = RestorationDataModule(FolderSource(str(root)), corruption, 16_000, allow_duplicates=True, **options)
    evaluated = {window["file"].partition("_")[2] for window in data.manifest("test")}
    assert evaluated == {f"{name}.wav" for name in BANDS_HZ} - ({"wall.wav"} if left_out else set())


@pytest.mark.parametrize("value", ["wide", "-5", "nan", "0"])
def test_estimate_that_is_no_frequency_is_refused_with_file_and_column(root: Path, value: str) -> None:
    table = root / "MANIFEST.csv"
    table.write_text(
        table.read_text(encoding="utf-8").replace("test_wall.wav,test,6000", f"test_wall.wav,test,{value}"), encoding="utf-8"
    )
    with pytest.raises(ValueError, match=rf"MANIFEST\.csv: bandwidth_hz_estimate={value} of test_wall\.wav must be a number"):
        FolderSource(str(root)).recordings()
