"""Every source keeps the contract of all sources; one added tomorrow is found here, and one that breaks it is seen."""

import inspect
import pkgutil
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import pytest
import soundfile

from datamodules import sources
from datamodules.sources import Recording, Source
from datamodules.sources.aurora import AuroraSource
from datamodules.sources.beethoven import BeethovenSource
from datamodules.sources.folder import FolderSource
from datamodules.sources.maestro import MaestroSource
from datamodules.sources.magnatagatune import FOLDERS, MagnaTagATuneSource
from datamodules.sources.paired import PairedSource
from datamodules.sources.sine import SineSource
from datamodules.sources.spear import SpearSource
from datamodules.sources.synthetic import SyntheticSource
from datamodules.sources.vctk import VCTKSource
from datamodules.sources.voicebank import VoiceBankSource
from datamodules.splits import Split
from tests.datamodules.sources import contracts, layouts

Check = Callable[[contracts.Build, Path], None]
CHECKS: tuple[Check, ...] = (contracts.check_recordings, contracts.check_order, contracts.check_groups)


@dataclass(frozen=True)
class Case:
    """A source, how its data set is laid out, and which splits are official."""

    build: contracts.Build
    lay_out: Callable[[Path], object]
    official: dict[str, Split]


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, [0.1, -0.1] * 400, 8000)


def lay_out_folder(root: Path) -> None:
    """Write twelve pieces in two takes, and beside them a corpus whose manifest gives some takes their split."""
    for take in ("a", "b"):
        for piece in range(12):
            write(root / f"album{piece}" / f"{take}.wav")
        for piece in range(3):
            write(root / "corpus" / f"{piece}{take}.wav")
    rows = ["0a,train,x", "0b,train,x", "1a,validation,y", "1b,,y", "2a,test,z", "2b,,z"]
    (root / "corpus" / "MANIFEST.csv").write_text(
        "\n".join(["file,split,group", *(row.replace(",", ".wav,", 1) for row in rows)]), encoding="utf-8"
    )


def lay_out_maestro(root: Path) -> None:
    """Write MAESTRO's table of four pieces, of which one is played twice."""
    lines = ["canonical_composer,canonical_title,split,year,audio_filename"]
    for number, (piece, split) in enumerate([(1, "train"), (1, "train"), (2, "validation"), (3, "test")]):
        write(root / "2004" / f"{number}.wav")
        lines.append(f"Composer,Piece {piece},{split},2004,2004/{number}.wav")
    (root / "maestro-v3.0.0.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def lay_out_pairs(root: Path) -> None:
    """Write two folders of four pairs, whose split the clean one decides."""
    lines = ["file,split,group"]
    for number, split in enumerate(("train", "train", "validation", "test")):
        for side in ("clean", "noisy"):
            write(root / side / f"{number}.wav")
        lines.append(f"{number}.wav,{split},speaker{number}")
    (root / "clean" / "MANIFEST.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


CASES: dict[type[Source], Case] = {
    FolderSource: Case(
        lambda root: FolderSource(str(root)),
        lay_out_folder,
        {"0a.wav": "train", "0b.wav": "train", "1a.wav": "val", "1b.wav": "val", "2a.wav": "test", "2b.wav": "test"},
    ),
    MaestroSource: Case(
        lambda root: MaestroSource(str(root)),
        lay_out_maestro,
        {"0.wav": "train", "1.wav": "train", "2.wav": "val", "3.wav": "test"},
    ),
    PairedSource: Case(
        lambda root: PairedSource(str(root / "clean"), str(root / "noisy")),
        lay_out_pairs,
        {"0.wav": "train", "1.wav": "train", "2.wav": "val", "3.wav": "test"},
    ),
    VoiceBankSource: Case(
        lambda root: VoiceBankSource(str(root)),
        layouts.voicebank,
        {"p227_000.wav": "train", "p226_000.wav": "val", "p287_001.wav": "val", "p232_001.wav": "test", "p257_001.wav": "test"},
    ),
    VCTKSource: Case(
        lambda root: VCTKSource(str(root), "multi_speaker"),
        layouts.vctk,
        {"p226_000_mic1.flac": "train", "p345_000_mic1.flac": "val", "p360_000_mic1.flac": "test"},
    ),
    BeethovenSource: Case(lambda root: BeethovenSource(str(root)), layouts.beethoven, {}),
    MagnaTagATuneSource: Case(
        lambda root: MagnaTagATuneSource(str(root)),
        layouts.magnatagatune,
        {f"artist-album-01-song_{name}-0-29.wav": split for name, split in FOLDERS.items()},
    ),
    SpearSource: Case(lambda root: SpearSource(str(root)), layouts.spear, {}),
    AuroraSource: Case(
        lambda root: AuroraSource(str(root), str(root / "speech"), str(root / "noise")),
        layouts.aurora,
        {"a.wav.flac": "train", "b.wav.flac": "val", "c.wav.flac": "test"},
    ),
    SyntheticSource: Case(lambda root: SyntheticSource(str(root), 4000, 4, 0.1), lambda root: None, {}),
    SineSource: Case(lambda root: SineSource(str(root), 4000, 100, 4), lambda root: None, {}),
}


@pytest.fixture(params=list(CASES), ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_every_source_is_held_to_the_contract() -> None:
    modules = [import_module(f"{sources.__name__}.{module.name}") for module in pkgutil.iter_modules(sources.__path__)]
    classes = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    concrete = {value for value in classes if issubclass(value, Source) and not inspect.isabstract(value)}
    assert concrete == set(CASES), "give a new source a line in CASES"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(case: Case, check: Check, tmp_path: Path) -> None:
    case.lay_out(tmp_path)
    check(case.build, tmp_path)


def test_official_splits_are_kept(case: Case, tmp_path: Path) -> None:
    case.lay_out(tmp_path)
    contracts.check_official_splits(case.build, tmp_path, case.official)


def test_missing_root_is_told(case: Case, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    contracts.check_missing_root(case.build, tmp_path / "file" / "gone")


def test_group_that_a_manifest_tears_apart_is_refused(tmp_path: Path) -> None:
    lay_out_folder(tmp_path)
    table = tmp_path / "corpus" / "MANIFEST.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("0b.wav,train", "0b.wav,test"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"corpus/MANIFEST.csv has group 'x' in test and train; give all of its files one split"):
        FolderSource(str(tmp_path)).recordings()


def test_groups_of_two_tables_may_share_a_name(tmp_path: Path) -> None:
    for name, split in (("one", "train"), ("two", "test")):
        write(tmp_path / name / "a.wav")
        (tmp_path / name / "MANIFEST.csv").write_text(f"file,split,group\na.wav,{split},speaker 1\n", encoding="utf-8")
    assert [recording.split for recording in FolderSource(str(tmp_path)).recordings()] == ["train", "test"]


class Plain(Source):
    """Three files in order, each in its own group: a source as it should be."""

    def recordings(self) -> list[Recording]:
        if not self.root.is_dir():
            raise ValueError(f"data.root={self.root} is not a folder")
        names: list[tuple[str, Split]] = [("a", "train"), ("b", "val"), ("c", "test"), ("d", "train")]
        return [Recording(str(self.root / f"{name}.wav"), 0.1, split, name) for name, split in names]


class Shuffled(Plain):
    def recordings(self) -> list[Recording]:
        return random.Random(random.random()).sample(super().recordings(), 4)


class Torn(Plain):
    def recordings(self) -> list[Recording]:
        return [replace(recording, group="piece") for recording in super().recordings()]


class Listed(Plain):
    def recordings(self) -> list[Recording]:
        return [*super().recordings(), Recording(str(self.root / "gone.wav"), 1.0, "train", "gone")]


class Double(Plain):
    def recordings(self) -> list[Recording]:
        return 2 * super().recordings()


class Silent(Plain):
    def recordings(self) -> list[Recording]:
        return super().recordings() if self.root.is_dir() else []


class Curt(Plain):
    def recordings(self) -> list[Recording]:
        try:
            return super().recordings()
        except ValueError:
            raise ValueError("not found") from None


BREACHES: dict[type[Source], tuple[Check, str]] = {
    Shuffled: (contracts.check_order, "lists its recordings in another order every time"),
    Torn: (contracts.check_groups, "has piece in more than one split"),
    Listed: (contracts.check_recordings, "lists files that are not there"),
    Double: (contracts.check_recordings, "lists a file twice"),
    Silent: (contracts.check_missing_root, "accepts a root that is missing"),
    Curt: (contracts.check_missing_root, "does not tell where it looked"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in "abcd":
        write(tmp_path / f"{name}.wav")
    return tmp_path


@pytest.mark.parametrize("kind", list(BREACHES))
def test_breach_is_seen_and_told(kind: type[Source], root: Path) -> None:
    random.seed(0)
    check, message = BREACHES[kind]
    place = root / "gone" if check is contracts.check_missing_root else root
    check(Plain, place)
    with pytest.raises(AssertionError, match=f"^{kind.__name__} {message}"):
        check(kind, place)


def test_move_out_of_an_official_split_is_seen(root: Path) -> None:
    contracts.check_official_splits(Plain, root, {"a.wav": "train"})
    with pytest.raises(AssertionError, match=r"^Plain moves a\.wav out of the official split"):
        contracts.check_official_splits(Plain, root, {"a.wav": "test", "b.wav": "val"})


@pytest.mark.parametrize("kind", [VoiceBankSource, VCTKSource, AuroraSource, SpearSource])
def test_corpora_of_speech_say_so(kind: type[Source]) -> None:
    assert kind.kind == "speech"


@pytest.mark.parametrize(
    ("kinds", "expected"), [(("speech", "Speech "), "speech"), (("speech", ""), "music"), (("", ""), "music")]
)
def test_folder_is_speech_where_its_manifest_says_so_of_every_file(kinds: tuple[str, str], expected: str, tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.wav")
    rows = [f"{name}.wav,{kind}" for name, kind in zip("ab", kinds, strict=True)]
    (tmp_path / "MANIFEST.csv").write_text("\n".join(["file,kind", *rows]), encoding="utf-8")
    source = FolderSource(str(tmp_path))
    source.recordings()
    assert source.kind == expected
