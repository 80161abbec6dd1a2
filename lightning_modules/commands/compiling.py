"""Parts of the networks as compiled code (`torch.compile`): whether that is possible here, and what its failures say."""

import torch

from lightning_modules.base import RestorationModule
from lightning_modules.runs.printing import one_line

_OF_COMPILER = ("torch._dynamo", "torch._inductor", "torch._functorch")
_WAY_OUT = "compile=false trains without"


def check_compiling(module: RestorationModule, device: torch.device) -> None:
    """Refuse a method without a part that is compiled, and a machine without a working compiler.

    Raises:
        ValueError: saying which.
    """
    if not module.compiled_parts:
        name = type(module.net).__name__
        raise ValueError(f"compile=true is not possible: no part of model.net={name} is compiled; {_WAY_OUT}")
    try:
        torch.compile(_trial)(torch.zeros(2, device=device))
    except Exception as error:  # of the compiler for this device, of what it calls, or of the system
        raise ValueError(_refusal(device, error)) from error


def is_of_compiler(error: BaseException) -> bool:
    """Say whether an error is of torch's compiler, and not of what it compiles."""
    return type(error).__module__.startswith(_OF_COMPILER)


def why_not_compiled(error: BaseException) -> str:
    """Say that a network could not be compiled, and what to do."""
    return f"compile=true is not possible with this method: {one_line(error)}; {_WAY_OUT}"


def _trial(values: torch.Tensor) -> torch.Tensor:
    return values + 1


def _refusal(device: torch.device, error: Exception) -> str:
    needed = {"cpu": "a C++ compiler, such as g++", "cuda": "Triton and a C compiler"}.get(device.type, "a compiler")
    return f"compile=true is not possible: torch.compile needs {needed} for {device.type} ({one_line(error)}); {_WAY_OUT}"
