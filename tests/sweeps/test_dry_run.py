"""The jobs that a dry run counts are those that the sweep would run."""

from omegaconf import DictConfig, OmegaConf

from sweeps.dry_run import Planned, job_overrides, without_duplicates


def sweep(task: list[str], **sweeper: object) -> DictConfig:
    return OmegaConf.create({"hydra": {"sweeper": sweeper, "overrides": {"task": task}}})


def test_jobs_are_all_combinations_and_the_command_line_narrows_them() -> None:
    jobs = job_overrides(sweep(["b=1", "a=5,6"], params={"a": "1,2,3", "c": "x,y"}))
    expected = [["a=5", "b=1", "c=x"], ["a=5", "b=1", "c=y"], ["a=6", "b=1", "c=x"], ["a=6", "b=1", "c=y"]]
    assert sorted(map(sorted, jobs)) == expected


def test_study_counts_its_trials_with_the_values_that_are_given() -> None:
    assert job_overrides(sweep(["b=1", "a=interval(0,1)"], n_trials=3, params={"c": "1,2"})) == [["b=1"]] * 3


def test_first_of_the_jobs_that_do_the_same_stays_in_its_place() -> None:
    asked = [("1", "x"), ("2", "y"), ("1.0", "x"), ("3", "z")]
    jobs = [Planned([f"a={value}"], None, identity) for value, identity in asked]  # type: ignore[arg-type]  # what it does
    assert [job.overrides for job in without_duplicates(jobs)] == [["a=1"], ["a=2"], ["a=3"]]
