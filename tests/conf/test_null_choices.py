"""Null on the command line: a group that is left out, or a sentence."""

import pytest

from conf.null_choices import with_null_choices


@pytest.mark.parametrize("argument", ["logger=[csv,null]", "callbacks=[null]", "logger=[ null , wandb]"])
def test_null_among_other_choices_is_refused(argument: str) -> None:
    group = argument.partition("=")[0]
    with pytest.raises(ValueError, match=r"must be a list of .* and ") as refused:
        with_null_choices([argument])
    assert str(refused.value).startswith(f"{group}=")


@pytest.mark.parametrize("group", ["corruption", "data", "trainer"])
def test_what_every_run_needs_is_not_left_out(group: str) -> None:
    with pytest.raises(ValueError, match=f"{group}=null must be one of "):
        with_null_choices([f"{group}=null"])


def test_others_are_left_out_and_keys_stay() -> None:
    given = ["model=null", "callbacks=null", "data.silence_db=null", "data.level_db=[null]", "logger=[csv,wandb]", "callbacks=[]"]
    assert with_null_choices(given) == ["~model", "~callbacks", *given[2:]]
