"""What torchrun and srun have started decides how many processors there are, and whether a run goes on."""

import pytest
from hydra import compose, initialize_config_module

from conf.as_launched import as_launched, resumed
from conf.schema.sentences import SchemaError
from machine.launched import Launched, is_first_process, launched, times_started_anew
from machine.slurm import job_number, requeue_signals
from sweeps.ranks import why_alone

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
TORCHRUN |= {"GROUP_RANK": "1"}
SRUN = {"SLURM_NTASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NNODES": "2", "SLURM_NODEID": "1"}


@pytest.fixture
def as_if(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Return a function that lets variables of the environment be these."""

    def put(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def trainer(*overrides: str):  # type: ignore[no-untyped-def]
    with initialize_config_module("conf"):
        return compose("train", overrides=[*overrides, "run_name=r"]).trainer


@pytest.mark.parametrize(("values", "by"), [(TORCHRUN, "torchrun"), (SRUN, "srun")])
def test_place_of_a_process_is_read_from_its_environment(values: dict[str, str], by: str) -> None:
    place = launched(values)
    assert place == Launched(by, rank=5, processes=8, local_rank=1, local_processes=4, machine=1)
    assert place.machines == 2
    assert not is_first_process(values)
    assert is_first_process({**values, "RANK": "0", "SLURM_PROCID": "0"})


@pytest.mark.parametrize("values", [{}, {**SRUN, "SLURM_NTASKS": "1"}, {**SRUN, "SLURM_JOB_NAME": "interactive"}])
def test_process_that_nothing_started_beside_others_is_alone(values: dict[str, str]) -> None:
    assert launched(values) is None
    assert is_first_process(values) and not is_first_process({"LOCAL_RANK": "1"})


@pytest.mark.parametrize("values", [TORCHRUN, SRUN])
def test_processors_and_machines_follow(as_if, values: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    as_if(values)
    assert as_launched(trainer("trainer=ddp")) == {"trainer.devices": 4, "trainer.num_nodes": 2}
    given = trainer("trainer=ddp", "trainer.devices=4", "+trainer.num_nodes=2")
    assert as_launched(given) == {"trainer.devices": 4, "trainer.num_nodes": 2}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer=cpu"], "trainer.strategy=auto trains in one process, and torchrun has started 8: use trainer=ddp"),
        (["trainer=ddp", "trainer.devices=2"], "trainer.devices=2 must be 4 or left out, as torchrun has started the processes"),
        (["trainer=ddp", "+trainer.num_nodes=3"], "trainer.num_nodes=3 must be 2 or left out"),
    ],
)
def test_keys_that_contradict_it_are_refused(as_if, overrides: list[str], message: str) -> None:  # type: ignore[no-untyped-def]
    as_if(TORCHRUN)
    with pytest.raises(SchemaError, match=message):
        as_launched(trainer(*overrides))


def test_machines_need_somebody_who_starts_the_processes() -> None:
    with pytest.raises(SchemaError, match="trainer.num_nodes=2 needs torchrun or srun"):
        as_launched(trainer("trainer=ddp", "+trainer.num_nodes=2"))
    assert as_launched(trainer("trainer=ddp")) == {}


@pytest.mark.parametrize("name", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"])
def test_training_that_is_started_anew_goes_on(as_if, name: str) -> None:  # type: ignore[no-untyped-def]
    assert (resumed(None, False), times_started_anew({})) == (None, 0)
    as_if({name: "1"})
    assert [resumed(None, False), resumed("runs/one", False), resumed(None, True)] == ["auto", "runs/one", None]


def test_what_is_for_one_process_says_so() -> None:
    assert why_alone(["/x/train.py", "trainer=ddp"]) is None
    assert why_alone(["/x/evaluate.py"]) == "and evaluate works in one: start it alone"
    assert str(why_alone(["train.py", "-m", "seed=1,2"])).startswith("each of which would run the whole sweep")


def test_only_a_job_under_slurm_is_queued_again() -> None:
    assert requeue_signals({}) == ()
    assert job_number({"SLURM_JOB_ID": "12"}) == "12"
