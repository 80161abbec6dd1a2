"""What is wrong with a network is told under the names that the user knows, and values are left alone."""

import pytest

from models.layers.setting_error import SettingError, settings_under

ERROR = SettingError("@window must be a multiple of 4 = 2^@depth; got 'a@b'")


def test_by_itself_a_network_names_its_own_settings() -> None:
    assert str(ERROR) == "window must be a multiple of 4 = 2^depth; got 'a@b'"


def test_whoever_builds_it_gives_the_full_names() -> None:
    with pytest.raises(ValueError) as caught, settings_under("model.discriminator"):  # noqa: PT011
        raise ERROR
    assert str(caught.value) == "model.discriminator.window must be a multiple of 4 = 2^model.discriminator.depth; got 'a@b'"
    assert not isinstance(caught.value, SettingError)


def test_other_mistakes_are_left_alone() -> None:
    with pytest.raises(ValueError, match="^another mistake$"), settings_under("model.net"):
        raise ValueError("another mistake")
