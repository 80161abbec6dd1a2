import unicodedata

import pytest

from datamodules.splits import SPLITS, hash_fraction, parse_split, split_groups


def test_hash_is_the_same_in_every_process():
    assert hash_fraction("a") == int.from_bytes(bytes.fromhex("ca978112ca1bbdca"), "big") / 2**64


def test_composed_and_decomposed_letters_hash_alike():
    assert hash_fraction(unicodedata.normalize("NFC", "Dvořák")) == hash_fraction(unicodedata.normalize("NFD", "Dvořák"))


def test_shares_are_eighty_ten_ten():
    splits = list(split_groups(f"piece {number}" for number in range(5000)).values())
    assert splits.count("train") / 5000 == pytest.approx(0.8, abs=0.02)
    assert splits.count("val") / 5000 == pytest.approx(0.1, abs=0.02)


def test_adding_groups_moves_none_of_the_others():
    few = split_groups(f"piece {number}" for number in range(300))
    many = split_groups(f"piece {number}" for number in range(600))
    assert all(many[group] == split for group, split in few.items())


@pytest.mark.parametrize("count", [3, 4, 5, 10])
def test_three_groups_are_enough_for_three_splits(count):
    for start in range(20):
        assert set(split_groups(f"piece {start + number}" for number in range(count)).values()) == set(SPLITS)


def test_order_and_repetition_do_not_matter():
    groups = [f"piece {number}" for number in range(7)]
    assert split_groups(groups) == split_groups([*reversed(groups), *groups])


@pytest.mark.parametrize(("name", "split"), [("train", "train"), ("Validation", "val"), (" val ", "val"), ("test", "test")])
def test_usual_names_of_splits_are_understood(name, split):
    assert parse_split(name, "MANIFEST.csv") == split


def test_unknown_split_is_refused_with_the_file_and_the_known_names():
    with pytest.raises(ValueError, match=r"MANIFEST.csv: unknown split 'trian'; known: train, .*validation.*test"):
        parse_split("trian", "MANIFEST.csv")
