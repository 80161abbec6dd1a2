"""What scripts that can sweep do before Hydra reads the command line."""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.errors import CompactHydraException

from conf.compose import exit_code_of
from conf.given_choices import choices_of
from lightning_modules.signals import LIMIT_SECONDS, SignalGuard
from sweeps.arguments import as_hydra_takes
from sweeps.child import LIFELINE_VARIABLE, end_with_parent
from sweeps.extras import missing_extra
from sweeps.ranks import as_one_run

SWEEP_SECONDS = 2.5
"""By which the job of a sweep ends sooner after a signal, so that the sweep can still say how."""


def enter(run: Callable[[], object]) -> int:
    """Run the part of a script that Hydra configures, and return the exit code.

    Args:
        run: decorated with hydra.main.
    """

    def job() -> int:
        end_with_parent()
        if _script(run) == "train" and any(argument.startswith(("--from-run", "from_run=")) for argument in sys.argv):
            from sweeps.from_run import with_earlier_run

            sys.argv[1:] = with_earlier_run(sys.argv[1:])
        sys.argv[1:], told = as_hydra_takes(sys.argv[1:])
        for sentence in told:
            print(f"note: {sentence}", file=sys.stderr)
        missing = missing_extra(sys.argv[1:])
        if missing:
            raise ValueError(missing)
        os.environ["HYDRA_FULL_ERROR"] = "1"  # so that its errors come to be told here
        try:
            run()
        except CompactHydraException as error:
            from conf.hydra_errors import as_sentence

            raise ValueError(as_sentence(error, choices_of(_script(run)))) from error
        return 0

    limit_seconds = LIMIT_SECONDS - (SWEEP_SECONDS if LIFELINE_VARIABLE in os.environ else 0)
    with SignalGuard(limit_seconds=limit_seconds):
        return exit_code_of(lambda: as_one_run(job))


def _script(run: Callable[[], object]) -> str:
    return Path(inspect.getfile(inspect.unwrap(run))).stem
