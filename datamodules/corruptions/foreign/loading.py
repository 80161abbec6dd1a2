"""torchaudio is an extra that need not be there, and that loads beside some builds of torch only."""

import re
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch

OLDEST = (2, 11)
REMEDY = (
    "its wheels need a CUDA build of torch, with or without a GPU, as pip gives it by default on Linux; in a fresh environment: "
    "pip install torch '.[torchaudio]'"
)


def torchaudio_functions() -> ModuleType:
    """Return torchaudio.functional.

    Raises:
        ValueError: if torchaudio is not installed, is too old, or cannot be loaded beside this torch.
    """
    if find_spec("torchaudio") is None:
        raise ValueError(f"corruption=torchaudio needs the package torchaudio, which is not installed; {REMEDY}")
    try:
        version = str(import_module("torchaudio").__version__)
        functions = import_module("torchaudio.functional")
    except Exception as error:  # whatever a package does that was made for another torch, or is damaged
        reason = f"cannot be loaded beside torch {torch.__version__} ({_first_cause(error)})"
        raise ValueError(f"corruption=torchaudio needs the package torchaudio, which {reason}; {REMEDY}") from error
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ValueError(f"corruption=torchaudio needs torchaudio {oldest} or newer, and {version} is installed; {REMEDY}")
    return functions


def _first_cause(error: BaseException) -> str:
    """Return what an error says that was raised because of others: the first of them knows the file that lacks."""
    while error.__cause__ is not None:
        error = error.__cause__
    told = " ".join(str(error).split())
    if isinstance(error, ImportError | OSError | RuntimeError) and told:
        return told
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
