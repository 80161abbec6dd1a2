"""Frames of sines: what the parameters say, as much of each number of cycles, and the same for every run and machine."""

import collections
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from datamodules.corruptions.impulses import Impulses
from datamodules.restoration import RestorationDataModule
from datamodules.seeding import generator_for
from datamodules.sources.sine import SineSource, sines


def small(root: Path, **changes: Any) -> SineSource:
    return SineSource(str(root), **{"sample_rate": 4000, "window_samples": 100, "recordings": 180, **changes})


def test_sines_are_those_of_the_formula() -> None:
    cycles, amplitudes, phases = torch.tensor([1.0, 7.0]), torch.tensor([0.5, 1.0]), torch.tensor([0.0, 0.25])
    n = np.arange(100)
    expected = [0.5 * np.sin(2 * np.pi * n / 100), np.cos(2 * np.pi * 7 * n / 100)]
    np.testing.assert_allclose(sines(cycles, amplitudes, phases, 100), expected, atol=1e-6)


def test_files_hold_what_is_rendered(tmp_path: Path) -> None:
    source = small(tmp_path, recordings=12)
    written = [soundfile.read(recording.path)[0] for recording in source.recordings()]
    np.testing.assert_allclose(written, source.render(range(12)), atol=2**-15)


def test_every_split_has_as_many_frames_of_each_number_of_cycles(tmp_path: Path) -> None:
    counts = collections.Counter((item.split, Path(item.path).name[:8]) for item in small(tmp_path).planned())
    assert {split for split, _ in counts} == {"train", "val", "test"}
    assert {counts["test", f"cycles_{number}"] for number in range(1, 10)} == {2}
    assert {counts["train", f"cycles_{number}"] for number in range(1, 10)} == {16}


def test_cycles_and_amplitudes_lie_where_they_are_asked_for(tmp_path: Path) -> None:
    frames = small(tmp_path, cycles=(3, 4), amplitude=(0.2, 0.4)).render(range(50))
    spectra = torch.fft.rfft(frames).abs() / 50
    assert spectra.argmax(dim=1).tolist() == [3, 4] * 25
    assert 0.2 <= float(spectra.amax(dim=1).min()) < float(spectra.amax(dim=1).max()) <= 0.4


def test_phase_is_zero_unless_it_is_drawn(tmp_path: Path) -> None:
    fixed, drawn = (small(tmp_path, phase=phase).render(range(40)) for phase in (0.0, (0.0, 1.0)))
    assert not fixed[:, 0].any()
    angles = [float(torch.angle(torch.fft.rfft(frame)[1 + index % 9])) for index, frame in enumerate(drawn)]
    assert min(angles) < -2 and max(angles) > 2 and len(set(angles)) == 40


def test_a_frame_depends_on_seed_and_number_alone(tmp_path: Path) -> None:
    source, longer, other = small(tmp_path), small(tmp_path, recordings=900), small(tmp_path, render_seed=1)
    assert torch.equal(source.render([7, 3]), longer.render([7, 3]))
    assert torch.equal(source.render([3]), source.render([7, 3])[1:])
    assert not torch.equal(source.render([3]), other.render([3]))
    assert source.root != other.root


def test_a_second_listing_renders_only_what_is_missing(tmp_path: Path) -> None:
    recordings = small(tmp_path, recordings=4).recordings()
    Path(recordings[0].path).unlink()
    kept = Path(recordings[1].path).stat().st_mtime_ns
    assert small(tmp_path, recordings=4).recordings() == recordings
    assert Path(recordings[0].path).exists() and Path(recordings[1].path).stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recordings": 2}, "data.recordings=2 is too few"),
        ({"cycles": (0, 4)}, r"data.cycles=\(0, 4\) must be whole numbers from 1 to below half of data.window_samples=100"),
        ({"cycles": 50}, "data.cycles=50 must be whole"),
        ({"cycles": 1.5}, "data.cycles=1.5 must be whole"),
        ({"amplitude": (0.0, 1.0)}, "data.amplitude=.* must lie above 0"),
        ({"phase": (1.0, 0.0)}, "data.phase=.* is not a range"),
    ],
)
def test_impossible_parameters_are_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        small(tmp_path, **changes)


def data_of(root: Path, seed: int) -> RestorationDataModule:
    sizes = {"window_samples": 100, "batch_size": 4, "samples_per_epoch": 32}
    return RestorationDataModule(small(root), Impulses(), 4000, **sizes, cache_dir=str(root / "cache"), seed=seed)


def test_training_windows_are_whole_frames_and_follow_the_sample_number(tmp_path: Path) -> None:
    data = data_of(tmp_path, 5)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert [batch["index"].tolist() for batch in batches[:2]] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    clean = torch.cat([batch["clean"] for batch in batches])[:, 0]  # (32, T)
    assert clean.shape == (32, 100) and not clean[:, 0].any()
    train = [index for index, item in enumerate(data.source.recordings()) if item.split == "train"]
    drawn = int(torch.randint(len(train), (), generator=generator_for(5, "window", 6)))
    source = data.source
    assert isinstance(source, SineSource)
    torch.testing.assert_close(clean[6], source.render([train[drawn]])[0], atol=2**-15, rtol=0)


def test_evaluation_pairs_are_the_same_for_every_training_seed(tmp_path: Path) -> None:
    first, second = data_of(tmp_path, 5), data_of(tmp_path, 6)
    assert first.manifest_hash == second.manifest_hash
    assert len(first.manifest()) == 18 and {window["length_samples"] for window in first.manifest()} == {100}
