"""What scripts that can sweep do before Hydra reads the command line."""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.errors import CompactHydraException

from conf.compose import exit_code_of
from conf.given_choices import check_choices, choices_of
from conf.left_out_keys import with_left_out_keys
from conf.null_choices import with_null_choices
from conf.old_keys import with_present_keys
from conf.own_corruption import with_own_corruption
from conf.own_optimizer import with_own_optimizer
from conf.search_path import with_plugins
from lightning_modules.signals import LIMIT_SECONDS, SignalGuard
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
        check_choices(sys.argv[1:])
        sys.argv[1:], told = with_present_keys(with_null_choices(sys.argv[1:]))
        for sentence in told:
            print(f"note: {sentence}", file=sys.stderr)
        sys.argv[1:] = with_own_optimizer(with_own_corruption(with_left_out_keys(with_plugins(sys.argv[1:]))))
        missing = missing_extra(sys.argv[1:])
        if missing:
            raise ValueError(missing)
        os.environ["HYDRA_FULL_ERROR"] = "1"  # so that its errors come to be told here
        try:
            run()
        except CompactHydraException as error:
            from conf.hydra_errors import as_sentence

            script = Path(inspect.getfile(inspect.unwrap(run))).stem
            raise ValueError(as_sentence(error, choices_of(script))) from error
        return 0

    limit_seconds = LIMIT_SECONDS - (SWEEP_SECONDS if LIFELINE_VARIABLE in os.environ else 0)
    with SignalGuard(limit_seconds=limit_seconds):
        return exit_code_of(lambda: as_one_run(job))
