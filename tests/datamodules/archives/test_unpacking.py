"""Archives are unpacked whole, never out of their folder, and go on where they stopped."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from datamodules.archives.members import ArchiveError
from datamodules.archives.unpacking import check_checksum, unpack

FILES = {"set/a.wav": b"a" * 5000, "set/b/caf\u00e9.wav": b"b" * 70_000, "read me.txt": b""}
Make = Callable[..., Path]


def make_zip(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return path


def make_tar(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return path


@pytest.fixture(params=[make_zip, make_tar], ids=["zip", "tar"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return lambda files, links=None: request.param(tmp_path / "set.archive", files, links)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_unpacked(make: Make, tmp_path: Path) -> None:
    assert unpack(make(FILES), tmp_path / "out") == (3, [])
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "name", ["/etc/x.wav", "../x.wav", "set/../../x.wav", "C:/x.wav", "C:x.wav", "\\x.wav", "set\\..\\..\\x.wav", "a\nb.wav"]
)
def test_name_that_leads_out_is_refused_before_anything_is_written(make: Make, tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match=r"set\.archive holds .*which leads out of the folder .*nothing was unpacked"):
        unpack(make({"good.wav": b"1", name: b"2"}), tmp_path / "out")
    assert contents(tmp_path / "out") == {}
    assert not (tmp_path / "x.wav").exists()


@pytest.mark.parametrize("target", ["/etc", "..", "../../x", "b/../../../x", "C:\\x", "\\x"])
def test_link_that_leads_out_is_refused(make: Make, tmp_path: Path, target: str) -> None:
    with pytest.raises(ArchiveError, match="holds the link 'set/link' to .*, out of its folder; nothing was unpacked"):
        unpack(make(FILES, {"set/link": target}) if target != ".." else make(FILES, {"set/link": "../.."}), tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_link_that_stays_within_is_left_out(make: Make, tmp_path: Path) -> None:
    unpack(make(FILES, {"set/link.wav": "b/../a.wav"}), tmp_path / "out")
    assert contents(tmp_path / "out") == FILES
    assert not (tmp_path / "out" / "set" / "link.wav").is_symlink()


def test_hard_link_and_device_are_not_made(tmp_path: Path) -> None:
    for kind, linkname, message in ((tarfile.LNKTYPE, "../x", "leads out"), (tarfile.CHRTYPE, "", "is no file, folder or link")):
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, linkname
            archive.addfile(info)
        with pytest.raises(ArchiveError, match=message):
            unpack(tmp_path / "a.tar", tmp_path / "out")


def test_link_in_the_folder_is_not_written_through(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "set").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError, match="is a link out of"):
        unpack(make(FILES), tmp_path / "out")
    assert list((tmp_path / "elsewhere").rglob("*.wav")) == []


def test_what_is_there_is_not_written_again_and_what_is_not_whole_is(make: Make, tmp_path: Path) -> None:
    archive, out = make(FILES), tmp_path / "out"
    unpack(archive, out)
    kept = (out / "set/a.wav").stat().st_ino
    (out / "set/b/caf\u00e9.wav").write_bytes(b"b" * 10)
    (out / "read me.txt").unlink()
    assert unpack(archive, out) == (3, [])
    assert contents(out) == FILES
    assert (out / "set/a.wav").stat().st_ino == kept


def test_interrupted_run_leaves_whole_files_only_and_goes_on(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = make(FILES), tmp_path / "out"
    import datamodules.archives.unpacking as unpacking

    parts = unpacking._parts

    def interrupted(content, member):
        for part in parts(content, member):
            yield part
            if "b/" in member.name:
                raise KeyboardInterrupt

    monkeypatch.setattr(unpacking, "_parts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, out)
    assert all(FILES[name] == content for name, content in contents(out).items())
    assert "set/a.wav" in contents(out) and "set/b/caf\u00e9.wav" not in contents(out)
    monkeypatch.setattr(unpacking, "_parts", parts)
    unpack(archive, out)
    assert contents(out) == FILES


def test_other_file_of_the_same_size_is_replaced_from_a_zip(tmp_path: Path) -> None:
    archive, out = make_zip(tmp_path / "a.zip", FILES), tmp_path / "out"
    unpack(archive, out)
    (out / "set/a.wav").write_bytes(b"x" * 5000)
    unpack(archive, out)
    assert contents(out) == FILES


def test_file_with_a_wrong_checksum_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("bad.wav", b"0123456789" * 100)
        content.writestr("good.wav", b"good")
    damaged = archive.read_bytes().replace(b"0123456789" * 100, b"0123456789" * 99 + b"012345678X")
    archive.write_bytes(damaged)
    count, (problem,) = unpack(archive, tmp_path / "out")
    assert count == 2 and problem.startswith(f"bad.wav in {archive} is damaged: Bad CRC-32")
    assert contents(tmp_path / "out") == {"good.wav": b"good"}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_archive_that_is_cut_off_is_named(make: Make, tmp_path: Path, share: float) -> None:
    noise = b"".join(hashlib.sha256(bytes([n, n // 256])).digest() for n in range(256) for _ in "1")
    archive = make({"a.wav": noise, "b.wav": noise[::-1]})
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArchiveError, match=r"set\.archive (is no zip or tar archive, or is cut off|is damaged)"):
        unpack(archive, tmp_path / "out")


def test_archive_that_is_missing_or_encrypted_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"gone\.zip is not there"):
        unpack(tmp_path / "gone.zip", tmp_path / "out")
    archive = make_zip(tmp_path / "a.zip", {"a.wav": b"1"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="is encrypted"):
        unpack(archive, tmp_path / "out")


def test_names_that_some_systems_take_for_one_are_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"holds B\.wav twice"):
        unpack(make({"b.wav": b"1", "B.wav": b"2"}), tmp_path / "out")


def test_archive_larger_than_the_disk_is_refused(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(ArchiveError, match=r"has 0\.00 GB free, but 0\.10 GB are needed"):
        unpack(make(FILES), tmp_path / "out")


def test_checksums_are_told_by_their_length(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"content")
    for kind in ("md5", "sha1", "sha256"):
        check_checksum(archive, hashlib.new(kind, b"content").hexdigest().upper())
        with pytest.raises(ArchiveError, match=rf"a\.zip has {kind} .*; get it again"):
            check_checksum(archive, hashlib.new(kind, b"other").hexdigest())
    with pytest.raises(ArchiveError, match="must be an MD5, SHA-1 or SHA-256"):
        check_checksum(archive, "abc")


def test_names_that_windows_cannot_store_are_refused_there_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as content:
        content.writestr("music/a: b.wav", b"sound")
    assert unpack(tmp_path / "a.zip", tmp_path / "here") == (1, [])
    monkeypatch.setattr("datamodules.archives.members.takes_few_names", lambda: True)
    with pytest.raises(ArchiveError, match=r"a\.zip holds 'music/a: b\.wav', which holds ':': Windows cannot store it"):
        unpack(tmp_path / "a.zip", tmp_path / "there")
