"""Memory that is freed and soon wanted again: kept by the process, where its C library can be asked to."""

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`, as `malloc.h` numbers them."""
LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Have the C library keep what is freed; return whether it can, which only glibc does.

    A training step frees and takes the same large tensors again. By default glibc gives each back to the system, which fills its
    pages with zeros when they are taken anew: 7 to 13 % of the processor time of a step of `mask_net`. The process holds on to
    the most it ever used, so this is for trainings, not for what lives beside other work.
    """
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or a system that has none by that name
        return False
    return bool(adjust(MMAP_MAX, 0)) and bool(adjust(TRIM_THRESHOLD, LARGEST))
