"""A make-believe device that refuses what Apple's MPS refuses, so that a CPU can tell what would fail there.

Its tensors are held in CPU memory and say that they are on `mps:0`. There is no double precision on it, no operation on tensors
of two devices, and no operator that torch's own table (`native_functions.yaml`, which its wheels hold) gives no kernel for MPS.
Only `.cpu()` and `.to(...)` lead away from it. What it computes is what the CPU computes.
"""

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("mps", 0)
_CPU = torch.device("cpu")
_aten = torch.ops.aten
_REFUSED_TYPES = (torch.float64, torch.complex128)
_NO_TYPE = "Cannot convert a MPS Tensor to {} dtype as the MPS framework doesn't support it"
_CROSSING = (_aten._to_copy.default, _aten.copy_.default)  # from one device to another
_AT_ONCE = {_aten._conj.default: torch.conj_physical, _aten._neg_view.default: torch.neg}  # a mode sees no lazy signs
_BY_INDEX = ("index", "index_put", "index_put_", "_index_put_impl_")  # their indices may be on the CPU

_THERE = {"mkldnn_rnn_layer": "_lstm_mps", "mkldnn_rnn_layer_backward": "lstm_mps_backward"}
"""Operators that torch chooses by the device before anyone sees it: what it calls on a CPU, and what it would call on MPS."""


class Held(Tensor):
    """A tensor on the make-believe device. C++ takes it for one of the CPU, Python for one of MPS."""

    held: Tensor
    device = DEVICE  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, held: Tensor) -> "Held":
        """Wrap a tensor of CPU memory.

        Raises:
            TypeError: if the device does not have its type.
        """
        if held.dtype in _REFUSED_TYPES:
            raise TypeError(_NO_TYPE.format(held.dtype))
        place = (held.shape, held.stride(), held.storage_offset())
        with torch.inference_mode(False):  # a view of what was made outside could not be one of inference mode
            wrapped: Held = Tensor._make_wrapper_subclass(cls, *place, dtype=held.dtype, device=_CPU)  # type: ignore[attr-defined]
        wrapped.held = held
        return wrapped

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Move, read out, or call; helpers that an operator makes while it is called are on the device as well."""
        known = _METHODS.get(func)
        if known is not None:
            return known(*args, **(kwargs or {}))
        with _calling(within=True):
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator as the device would."""
        return _run(func, args, kwargs or {})

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be saved as what a checkpoint is read as, on the CPU."""
        return self.held.__reduce_ex__(protocol)

    def __repr__(self, **_: Any) -> str:
        """Show the values."""
        return f"Held({self.held!r})"


class LikeMps(TorchDispatchMode):
    """While it is active, `mps:0` is a device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator on the device if its tensors are there, or shall be."""
        return _run(func, args, kwargs or {})


class _Constructors(TorchFunctionMode):
    """Make tensors of data in two steps, as torch hides the second from modes, and move without asking for a driver."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and _is_mps(kwargs.get("device")):
            return _to(func(*args, **kwargs | {"device": "cpu"}), DEVICE)
        return _to(*args, **kwargs) if func is Tensor.to else func(*args, **kwargs)


@contextlib.contextmanager
def device_like_mps() -> Iterator[torch.device]:
    """Give the device; modules and tensors are moved to it with `.to`."""
    future = torch.__future__
    before = future.get_overwrite_module_params_on_conversion()
    future.set_overwrite_module_params_on_conversion(True)
    try:
        with LikeMps(), _Constructors():
            yield DEVICE
    finally:
        future.set_overwrite_module_params_on_conversion(before)


@functools.cache
def has_kernel(name: str) -> bool:
    """Say whether torch has a kernel of an operator for MPS, or makes it of other operators; names are as in its table."""
    entry = _table().get(_THERE.get(name, name))
    if entry is None:
        return True  # of another library than ATen
    delegate = re.search(r"^  structured_delegate: (\S+)", entry, flags=re.MULTILINE)
    if delegate:
        return has_kernel(delegate[1])
    dispatch = re.findall(r"^    (\w+(?:, ?\w+)*):", entry, flags=re.MULTILINE)
    keys = {key.strip() for line in dispatch for key in line.split(",")}
    return not keys or "MPS" in keys or any(key.startswith("Composite") for key in keys)


@functools.cache
def _table() -> dict[str, str]:
    text = resources.files("torchgen").joinpath("packaged/ATen/native/native_functions.yaml").read_text(encoding="utf-8")
    return {entry.split("(", 1)[0]: entry for entry in re.split(r"^- func: ", text, flags=re.MULTILINE)[1:]}


_within = False


@contextlib.contextmanager
def _calling(within: bool) -> Iterator[None]:
    """Know whether it is torch that asks for tensors of the CPU, within an operator on the device, where it means the device."""
    global _within
    before, _within = _within, within
    try:
        with torch._C.DisableTorchFunctionSubclass():
            yield
    finally:
        _within = before


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    wanted = kwargs.get("device")
    here = any(isinstance(tensor, Held) for tensor in tensors)
    helper = not tensors and _within and wanted is not None
    if not (here or helper or _is_mps(wanted)):
        return func(*args, **kwargs)
    if func not in _CROSSING:
        if func._can_decompose():
            with LikeMps():
                return func.decompose(*args, **kwargs)
        _refuse(func, args, kwargs, tensors)
    inner_args, inner_kwargs = tree_map(_inner, (args, kwargs))
    out = _AT_ONCE.get(func, func)(*inner_args, **inner_kwargs)
    if func is _aten.copy_.default:
        return args[0]
    if torch.Tag.inplace_view in func.tags:
        _reshape(func, args, kwargs)
    leaves = func in _CROSSING and wanted is not None and not _is_mps(wanted) and not _within
    return out if leaves else _outer(args, kwargs, out)


def _reshape(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Give a tensor the new shape of what it holds, by an operator that computes nothing (as `transpose_`)."""
    before = torch._C._meta_in_tls_dispatch_include()
    with no_dispatch():
        torch._C._set_meta_in_tls_dispatch_include(True)
        try:
            func(*args, **kwargs)
        finally:
            torch._C._set_meta_in_tls_dispatch_include(before)


def _refuse(func: Any, args: Any, kwargs: dict[str, Any], tensors: list[Tensor]) -> None:
    name = func._schema.name.removeprefix("aten::")
    if isinstance(kwargs.get("generator"), torch.Generator):
        raise RuntimeError(f"Expected a 'mps' device type for generator but found 'cpu' ({name})")
    overload = func._schema.overload_name
    if not has_kernel(f"{name}.{overload}" if overload else name):
        raise NotImplementedError(f"The operator 'aten::{name}' is not currently implemented for the MPS device.")
    if name in _BY_INDEX:
        tensors = [args[0], *args[2:3]]
    for tensor in tensors:
        if not isinstance(tensor, Held) and (tensor.dim() > 0 or tensor.dtype in _REFUSED_TYPES):
            raise RuntimeError(f"Expected all tensors to be on the same device, but found mps:0 and cpu ({name})")


def _is_mps(device: Any) -> bool:
    return device is not None and torch.device(device).type == "mps"


def _inner(leaf: Any) -> Any:
    if isinstance(leaf, torch.device):
        return _CPU
    return leaf.held if isinstance(leaf, Held) else leaf


def _outer(args: Any, kwargs: dict[str, Any], out: Any) -> Any:
    """Wrap results; what was changed in place is returned as it was given."""
    known = {id(leaf.held): leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Held)}
    return tree_map(lambda leaf: known.get(id(leaf)) if id(leaf) in known else _wrapped(leaf), out)


def _wrapped(leaf: Any) -> Any:
    return Held(leaf) if isinstance(leaf, Tensor) else leaf


def _to(tensor: Tensor, *args: Any, copy: bool = False, **kwargs: Any) -> Tensor:
    other = kwargs.pop("other", args[0] if args and isinstance(args[0], Tensor) else None)
    if other is not None:
        device, dtype = other.device, other.dtype
    else:
        device, dtype = torch._C._nn._parse_to(*args, **kwargs)[:2]
    device = tensor.device if device is None else device
    dtype = tensor.dtype if dtype is None else dtype
    if not copy and _is_mps(device) == isinstance(tensor, Held) and dtype == tensor.dtype:
        return tensor
    if isinstance(tensor, Held) and dtype in _REFUSED_TYPES:
        raise TypeError(_NO_TYPE.format(dtype))  # what comes from the device is converted there
    with _calling(within=False):
        moved: Tensor = _aten._to_copy(tensor, dtype=dtype, device=DEVICE if _is_mps(device) else _CPU)
    return moved


def _refuse_numpy(*_: Any, **__: Any) -> None:
    raise TypeError("can't convert mps:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")


_METHODS: dict[Any, Callable[..., Any]] = {
    Tensor.to: _to,
    Tensor.cpu: lambda tensor: _to(tensor, "cpu"),
    Tensor.double: lambda tensor: _to(tensor, torch.float64),
    Tensor.tolist: lambda tensor: _to(tensor, "cpu").tolist(),
    Tensor.numpy: _refuse_numpy,
    Tensor.__array__: _refuse_numpy,
}
