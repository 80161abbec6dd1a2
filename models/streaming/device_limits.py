"""What a device cannot compute, read from the errors that torch raises there."""

import re

_DEVICE = r"(?P<device>MPS|CUDA|XPU)"
_ERRORS = (
    rf"operator '(?P<what>[^']+)' is not currently (?:implemented|supported) (?:for|on) the {_DEVICE}\b",
    rf"Could not run '(?P<what>[^']+)' with arguments from the '{_DEVICE}' backend",
    rf"(?P<what>[\w:.]+)['\"]? (?:is )?not implemented for '{_DEVICE}'",
    rf"Cannot convert a {_DEVICE} Tensor to (?:torch\.)?(?P<what>float64|complex128)",
)


def lacking(error: BaseException) -> str | None:
    """Name what a device lacks, an operator or a type of numbers, if that is what an error of torch says.

    Args:
        error: of whatever was computed there.

    Returns:
        A sentence without its end, or None for every other error, and for what the CPU lacks as well.

    >>> lacking(NotImplementedError("The operator 'aten::mode' is not currently implemented for the MPS device. If you want"))
    'MPS has no aten::mode in this version of torch'
    >>> lacking(RuntimeError("CUDA out of memory"))
    """
    if not isinstance(error, RuntimeError | TypeError):
        return None
    text = str(error)
    found = next((match for pattern in _ERRORS if (match := re.search(pattern, text))), None)
    return None if found is None else f"{found['device']} has no {found['what']} in this version of torch"
