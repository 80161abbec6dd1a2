import csv
import json
import unicodedata

import pytest

from datamodules.sources.maestro import MaestroSource

COLUMNS = ("canonical_composer", "canonical_title", "split", "year", "midi_filename", "audio_filename", "duration")
ROWS = [
    ("Chopin", "Etude, Op. 10", "train", 2004, "2004/a.midi", "2004/a.wav", 1.0),
    ("Chopin", "Etude, Op. 10", "train", 2006, "2006/b.midi", "2006/b.wav", 1.0),
    ("Haydn", "Sonata", "validation", 2004, "2004/c.midi", "2004/c.wav", 1.0),
    ("Liszt", "Waldesrauschen", "test", 2018, "2018/d.midi", "2018/d.wav", 1.0),
]


def write_metadata(root, name):
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    root.mkdir(parents=True, exist_ok=True)
    if name.endswith("csv"):
        with open(root / name, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return
    by_column = {column: {str(number): row[column] for number, row in enumerate(rows)} for column in COLUMNS}
    (root / name).write_text(json.dumps(rows if "v2" in name else by_column), encoding="utf-8")


@pytest.fixture(params=["maestro-v2.0.0.csv", "maestro-v3.0.0.csv", "maestro-v2.0.0.json", "maestro-v3.0.0.json"])
def maestro(request, tmp_path, write_noise):
    root = tmp_path / request.param.rsplit(".", 1)[0]
    write_metadata(root, request.param)
    for row in ROWS:
        write_noise(root / row[5])
    return root


def test_both_versions_give_the_official_split(maestro):
    recordings = MaestroSource(str(maestro)).recordings()
    assert [recording.split for recording in recordings] == ["train", "train", "val", "test"]
    assert recordings[0].path == str(maestro / "2004" / "a.wav")


def test_performances_of_a_piece_share_their_group(maestro):
    groups = [recording.group for recording in MaestroSource(str(maestro)).recordings()]
    assert groups[0] == groups[1] == "Chopin: Etude, Op. 10"
    assert len(set(groups)) == 3


def test_the_folder_around_the_data_set_will_do(maestro):
    assert len(MaestroSource(str(maestro.parent)).recordings()) == 4


@pytest.mark.parametrize("years", [[2004, 2018], (2018, 2004)])
def test_only_the_chosen_years_are_listed(maestro, years):
    paths = [recording.path[-10:] for recording in MaestroSource(str(maestro), years).recordings()]
    assert paths == ["2004/a.wav", "2004/c.wav", "2018/d.wav"]


def test_unknown_year_is_refused_with_the_known_ones(maestro):
    with pytest.raises(ValueError, match=r"data.years=\[2005\].* years are \[2004, 2006, 2018\]"):
        MaestroSource(str(maestro), [2005]).recordings()


def test_missing_recordings_are_skipped(maestro):
    (maestro / "2004" / "a.wav").unlink()
    source = MaestroSource(str(maestro))
    assert len(source.recordings()) == 3
    assert len(source.skipped) == 1
    assert "2004/a.wav" in source.skipped[0]


def test_archive_with_midi_only_is_explained(tmp_path):
    write_metadata(tmp_path, "maestro-v3.0.0.csv")
    with pytest.raises(ValueError, match="none of the audio files is there; unpack the archive with the audio"):
        MaestroSource(str(tmp_path)).recordings()


def test_missing_data_set_says_where_it_looked_and_how_to_get_it(tmp_path):
    with pytest.raises(ValueError, match=r"looked for maestro-v\*.csv .*data.root=.*magenta.tensorflow.org/datasets/maestro"):
        MaestroSource(str(tmp_path)).recordings()


def test_other_tables_are_refused(tmp_path):
    (tmp_path / "maestro-v3.0.0.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is not MAESTRO's metadata: it lacks canonical_composer"):
        MaestroSource(str(tmp_path)).recordings()


def test_composed_letters_of_the_table_find_decomposed_ones_of_the_disk(tmp_path, write_noise):
    decomposed = unicodedata.normalize("NFD", "2004/Dvořák.wav")
    write_noise(tmp_path / decomposed)
    rows = [",".join(COLUMNS), "Dvořák,Suite,train,2004,x.midi,2004/Dvořák.wav,1.0"]
    (tmp_path / "maestro-v3.0.0.csv").write_text("\n".join(rows), encoding="utf-8")
    assert [item.path for item in MaestroSource(str(tmp_path)).recordings()] == [str(tmp_path / decomposed)]
