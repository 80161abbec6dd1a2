"""Files are found by names that mean the same, however their letters are encoded."""

import unicodedata

import pytest

from datamodules.audio.folder import read_manifest
from datamodules.audio.names import NameFinder, normalized

NAME = "Dvořák/Étude Nº 1 – ﾊﾟ.wav"


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_table_and_a_disk_of_different_forms_agree(tmp_path, forms):
    written, stored = (unicodedata.normalize(form, NAME) for form in forms)
    assert written != stored
    path = tmp_path / stored
    path.parent.mkdir()
    path.touch()
    assert NameFinder(tmp_path).find(written).samefile(path)
    (tmp_path / "MANIFEST.csv").write_text(f"file,split\n{written},test\n", encoding="utf-8")
    assert read_manifest(tmp_path / "MANIFEST.csv")[0].path.samefile(path)


def test_an_exact_name_wins_and_a_missing_one_stays_as_it_is(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    for name in (composed, decomposed):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert NameFinder(tmp_path).find(decomposed).read_text(encoding="utf-8") == decomposed
    assert NameFinder(tmp_path).find("gone/é.wav") == tmp_path / "gone/é.wav"


def test_names_that_are_no_text_pass():
    assert normalized("caf\udce9.wav") == "caf\udce9.wav"
