"""Jobs of a sweep have names that tell them apart."""

import pytest

from sweeps.names import job_name


@pytest.mark.parametrize(
    ("overrides", "given", "name"),
    [
        (["data=maestro", "model.optimizer.lr=0.1"], ["data=maestro", "model.optimizer.lr=0.1,0.2"], "s-3 lr=0.1 seed=5"),
        (["seed=1", "+data.x=2"], ["seed=0,1", "+data.x=2,3"], "s-3 seed=1 x=2"),
        (["a.lr=1", "b.lr=2"], [], "s-3 a.lr=1 b.lr=2 seed=5"),
        (["data.root=/a/b"], ["data.root=/a/b,/c"], "s-3 root=_a_b seed=5"),
    ],
)
def test_name_tells_what_a_job_does_not_share_and_its_seed(overrides: list[str], given: list[str], name: str) -> None:
    assert job_name("s", "3", overrides, given, 5) == name


def test_name_of_many_values_has_an_end() -> None:
    assert len(job_name("s", "0", [f"key{number}=0.123456" for number in range(30)], [], 0)) <= 120
