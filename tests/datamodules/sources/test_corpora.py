"""Public data sets: who trains, validates and tests, and how a set that is not there is told."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.corruptions.g712 import G712
from datamodules.sources import Source
from datamodules.sources.aurora import SNRS_DB, AuroraSource
from datamodules.sources.beethoven import BeethovenSource, groups_of
from datamodules.sources.magnatagatune import MagnaTagATuneSource
from datamodules.sources.spear import SpearSource
from datamodules.sources.vctk import VCTKSource
from datamodules.sources.voicebank import VoiceBankSource
from tests.datamodules.sources import layouts
from tests.datamodules.sources.layouts import write


def groups(source: Source, split: str) -> set[str]:
    return {item.group for item in source.recordings() if item.split == split}


def test_voicebank_of_28_validates_on_the_speakers_of_public_recipes(tmp_path: Path) -> None:
    layouts.voicebank(tmp_path)
    source = VoiceBankSource(str(tmp_path))
    assert [groups(source, split) for split in ("train", "val", "test")] == [{"p227"}, {"p226", "p287"}, {"p232", "p257"}]
    for item in source.recordings():
        clean, noisy = Path(item.path), Path(str(item.corrupted))
        assert clean.name == noisy.name and noisy.parent.name == clean.parent.name.replace("clean", "noisy")


def test_voicebank_of_56_and_chosen_speakers(tmp_path: Path) -> None:
    layouts.voicebank(tmp_path)
    assert groups(VoiceBankSource(str(tmp_path), 56), "val") == {"p294", "p376"}
    assert groups(VoiceBankSource(str(tmp_path), 56, ["p234"]), "val") == {"p234"}
    with pytest.raises(
        ValueError, match=r"data\.validation_speakers=\['p1'\]: p1 must be of the training set, .* p226, p227, p287"
    ):
        VoiceBankSource(str(tmp_path), 28, ["p1"]).recordings()
    with pytest.raises(ValueError, match=r"data\.speakers=30 must be 28 or 56"):
        VoiceBankSource(str(tmp_path), 30)


def test_voicebank_is_found_a_folder_below_and_its_test_set_alone_is_enough(tmp_path: Path) -> None:
    for side in ("clean", "noisy"):
        write(tmp_path / "unpacked" / f"{side}_testset_wav" / "p232_001.wav")
    (item,) = VoiceBankSource(str(tmp_path)).recordings()
    assert (item.split, item.group) == ("test", "p232")


@pytest.mark.parametrize(("there", "missing"), [("clean", "noisy"), ("noisy", "clean")])
def test_voicebank_names_the_side_that_is_missing_and_uses_the_other_set(there: str, missing: str, tmp_path: Path) -> None:
    write(tmp_path / f"{there}_trainset_28spk_wav" / "p227_001.wav")
    half = f"{there}_trainset_28spk_wav: its partner {missing}_trainset_28spk_wav is not there"
    with pytest.raises(ValueError, match=f"no VoiceBank.* found: looked for .*{half}.* in data.root="):
        VoiceBankSource(str(tmp_path)).recordings()
    for side in ("clean", "noisy"):
        write(tmp_path / f"{side}_testset_wav" / "p232_001.wav")
    source = VoiceBankSource(str(tmp_path))
    assert [item.split for item in source.recordings()] == ["test"]
    assert [sentence.endswith(half) for sentence in source.skipped] == [True]


def vctk_splits(root: Path, protocol: str) -> dict[str, set[str]]:
    listed = VCTKSource(str(root), protocol).recordings()
    return {split: {Path(item.path).parent.name for item in listed if item.split == split} for split in ("train", "val", "test")}


@pytest.fixture(scope="module")
def vctk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("vctk")
    layouts.vctk(root)
    return root


def test_vctk_official_tests_the_speakers_of_the_evaluation_kit(vctk: Path) -> None:
    splits = vctk_splits(vctk, "official")
    assert splits["test"] == {"p360", "p362", "p376", "s5"} and splits["val"] == {"p347", "p351"}
    assert splits["train"] == {"p225", "p226", "p228", "p343", "p345"}


def test_vctk_of_many_speakers_is_divided_as_published(vctk: Path) -> None:
    splits = vctk_splits(vctk, "multi_speaker")
    assert splits["test"] == {"p351", "p360", "p362", "p376"} and splits["val"] == {"p345", "p347"}
    assert splits["train"] == {"p225", "p226", "p228", "p280", "p315", "p343"}


def test_vctk_of_one_speaker_trains_on_223_and_tests_8(vctk: Path) -> None:
    listed = VCTKSource(str(vctk), "single_speaker").recordings()
    assert Counter(item.split for item in listed) == {"train": 223, "test": 8, "val": 8}
    names = {split: sorted(item.group for item in listed if item.split == split) for split in ("train", "test", "val")}
    assert (names["train"][0], names["train"][-1]) == ("p225_000_mic1", "p225_222_mic1")
    assert (names["test"][0], names["test"][-1]) == ("p225_223_mic1", "p225_230_mic1")
    assert {name[:4] for name in names["val"]} == {"p228"}


def test_vctk_has_one_microphone_or_earlier_versions_none(vctk: Path, tmp_path: Path) -> None:
    assert {Path(item.path).stem[-4:] for item in VCTKSource(str(vctk), microphone="mic2").recordings()} == {"mic2"}
    for speaker in ("p225", "p347", "p360"):
        write(tmp_path / "VCTK-Corpus" / "wav48" / speaker / f"{speaker}_001.wav")
    assert [item.group for item in VCTKSource(str(tmp_path)).recordings()] == ["p225", "p347", "p360"]


@pytest.mark.parametrize(("key", "value"), [("protocol", "mine"), ("microphone", "mic3")])
def test_vctk_refuses_unknown_choices(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"data\.{key}='{value}' must be one of "):
        VCTKSource("/x", **{key: value})


OPUS_OF_SONATA = (
    *("2-1", "2-2", "2-3", "7", "10-1", "10-2", "10-3", "13", "14-1", "14-2", "22", "26", "27-1", "27-2", "28", "31-1", "31-2"),
    *("31-3", "49-1", "49-2", "53", "54", "57", "78", "79", "81a", "90", "101", "106", "109", "110", "111"),
)


def by_opus(number: int, movement: int) -> str:
    opus, _, place = OPUS_OF_SONATA[number - 1].partition("-")
    return f"Sonata Op. {opus}{f' No. {place}' if place else ''}/{movement:02d} - Allegro"


@pytest.mark.parametrize(
    "name",
    [
        lambda number, movement: f"Piano Sonata No. {number}/{movement:02d} - Allegro",
        lambda number, movement: f"Piano Sonata in C-sharp minor, No. {number}, mov {movement}",
        lambda number, movement: f"{number:02d} Moonlight/{movement} - Adagio",
        lambda number, movement: f"CD {movement}/{number:02d}-{movement}",
        lambda number, movement: f"sonatas/{number:02d} Sonata in C, mov {movement}",
        by_opus,
        lambda number, movement: f"{by_opus(number, movement)} (CD {1 + number // 4})".replace("/", "_"),
    ],
)
def test_beethoven_keeps_movements_together_however_files_are_named(name: Callable[[int, int], str], tmp_path: Path) -> None:
    numbers = {tmp_path / f"{name(number, movement)}.wav": number for number in range(1, 33) for movement in (1, 2, 3)}
    named = groups_of({path: path.relative_to(tmp_path) for path in numbers})
    assert named == {path: f"sonata {number}" for path, number in numbers.items()}


def test_beethoven_keeps_sonatas_whole_at_88_6_and_6_percent(tmp_path: Path) -> None:
    layouts.beethoven(tmp_path)
    source = BeethovenSource(str(tmp_path))
    assert [len(groups(source, split)) for split in ("train", "val", "test")] == [28, 2, 2]
    assert {item.group for item in source.recordings()} == {f"sonata {number}" for number in range(1, 33)}


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Sonata_No_14_Op_27_Mvt1.ogg", "sonata 14"),
        ("Op. 27/sonata 14 in C sharp minor, 2.ogg", "sonata 14"),
        ("14 Moonlight/03.ogg", "sonata 3"),
        ("21-Waldstein.ogg", "sonata 21"),
        ("Fuer Elise.ogg", "Fuer Elise.ogg"),
        ("1802 letters.ogg", "1802 letters.ogg"),
    ],
)
def test_sonata_is_read_from_the_name(tmp_path: Path, name: str, group: str) -> None:
    write(tmp_path / name)
    (item,) = BeethovenSource(str(tmp_path)).recordings()
    assert item.group == group


def test_magnatagatune_is_divided_by_its_folders(tmp_path: Path) -> None:
    layouts.magnatagatune(tmp_path / "mp3")
    listed = MagnaTagATuneSource(str(tmp_path)).recordings()
    assert Counter(item.split for item in listed) == {"train": 24, "val": 2, "test": 6}
    assert {Path(item.path).parent.name for item in listed if item.split == "test"} == set("def")
    assert len({item.group for item in listed}) == 16


def test_spear_pairs_every_noisy_file_with_its_text(tmp_path: Path) -> None:
    layouts.spear(tmp_path)
    write(tmp_path / "Noisy" / "alone_white_16.wav")
    source = SpearSource(str(tmp_path))
    listed = source.recordings()
    assert len(listed) == 6
    assert all(Path(str(item.corrupted)).name.partition("_")[0] == Path(item.path).name.partition("_")[0] for item in listed)
    assert [sentence.startswith(f"{tmp_path / 'Noisy' / 'alone_white_16.wav'}: has no clean") for sentence in source.skipped] == [
        True
    ]


def aurora(root: Path, **changes: int) -> AuroraSource:
    return AuroraSource(str(root / "cache"), str(root / "speech"), str(root / "noise"), **changes)


def test_aurora_tests_at_every_ratio_and_measures_it_in_the_band(tmp_path: Path) -> None:
    layouts.aurora(tmp_path)
    listed = aurora(tmp_path).recordings()
    assert Counter(item.split for item in listed) == {"train": 1, "val": 1, "test": 6}
    measured = {}
    for item in listed:
        clean, rate_hz = soundfile.read(item.path)
        noisy, _ = soundfile.read(str(item.corrupted))
        assert rate_hz == 8000 and clean.shape == noisy.shape and np.abs(noisy).max() < 1
        ratio_db = 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))
        measured[item.name] = ratio_db
        assert ratio_db == pytest.approx(float(str(item.name).split("/")[1].removeprefix("snr_")), abs=0.05)
        spectrum = np.abs(np.fft.rfft(noisy)) ** 2
        in_band = slice(round(200 * len(noisy) / 8000), round(3700 * len(noisy) / 8000))
        assert spectrum[in_band].sum() / spectrum.sum() > 0.99
    assert {round(ratio) for name, ratio in measured.items() if name.endswith("c.wav.flac")} == set(SNRS_DB)


def test_aurora_is_mixed_once_and_the_same_everywhere(tmp_path: Path) -> None:
    layouts.aurora(tmp_path)
    first = aurora(tmp_path).recordings()
    times = [Path(str(item.corrupted)).stat().st_mtime_ns for item in first]
    assert aurora(tmp_path).recordings() == first
    assert [Path(str(item.corrupted)).stat().st_mtime_ns for item in first] == times
    moved = tmp_path / "moved"
    layouts.aurora(moved)
    again = aurora(moved).recordings()
    assert [item.name for item in again] == [item.name for item in first]
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(soundfile.read(str(one.corrupted))[0], soundfile.read(str(other.corrupted))[0])
    assert {item.name for item in aurora(tmp_path, mix_seed=1).recordings()} != {item.name for item in first}


def test_aurora_noise_is_of_the_split_of_the_speech(tmp_path: Path) -> None:
    layouts.aurora(tmp_path)
    table = tmp_path / "noise" / "MANIFEST.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("z.wav,test", "z.wav,train"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"data\.noise_root=.* has no noise for split 'test', of which data\.speech_root="):
        aurora(tmp_path).recordings()


@pytest.mark.parametrize(("missing", "key"), [("speech", "speech_root"), ("noise", "noise_root")])
def test_aurora_names_the_folder_that_is_missing(tmp_path: Path, missing: str, key: str) -> None:
    layouts.aurora(tmp_path)
    (tmp_path / missing).rename(tmp_path / "gone")
    with pytest.raises(ValueError, match=rf"data\.{key}={tmp_path / missing} is not a folder"):
        aurora(tmp_path).recordings()


@pytest.mark.parametrize("kind", [VoiceBankSource, VCTKSource, BeethovenSource, MagnaTagATuneSource, SpearSource])
def test_missing_set_is_told_with_page_size_license_and_command(tmp_path: Path, kind: type[Source]) -> None:
    with pytest.raises(ValueError, match=r"^no .* found: looked for .* in data\.root=") as refusal:
        kind(str(tmp_path)).recordings()
    told = str(refusal.value)
    assert str(tmp_path) in told and "get it from http" in told
    assert "(size: " in told and "; license: " in told
    name = {"VCTKSource": "vctk", "SpearSource": "spear"}.get(kind.__name__, kind.__module__.rpartition(".")[2])
    assert f"clarion-prepare {name} --from ARCHIVE -o DIR" in told


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_telephone_keeps_its_band_and_nothing_else(rate_hz: int) -> None:
    import torch

    time = np.arange(rate_hz) / rate_hz
    for hz, least_db, most_db in ((60, -200, -35), (300, -0.5, 0.5), (1020, -0.1, 0.1), (3400, -0.5, 0.5), (3900, -200, -35)):
        sine = torch.from_numpy(np.sin(2 * np.pi * hz * time))[None, None]
        filtered = G712()(sine, rate_hz, torch.Generator())[0, 0, 1000:-1000]
        level_db = 20 * np.log10(float(filtered.abs().max()) + 1e-12)
        assert least_db <= level_db <= most_db, (hz, level_db)


def test_telephone_needs_8_kHz() -> None:  # noqa: N802
    with pytest.raises(ValueError, match="data.sample_rate=4000 does not hold: give at least 8000 Hz"):
        G712().check(4000, 1)
