"""What a checkpoint file declares, held against what it holds, before anything of it is loaded or allocated.

`torch.save` writes a zip archive of stored (never compressed) entries: `data.pkl`, which describes the content, and a record of
bytes for each storage. `torch.load` believes the sizes that both declare.
"""

import io
import math
import pickle
import pickletools
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST_DESCRIPTION_BYTES = 64 << 20
"""Of data.pkl; that of a network of a thousand layers takes less than one."""
MOST_RECORDS = 200_000
KNOWN = re.compile(
    r"collections (OrderedDict|Counter|defaultdict)|torch\._utils _rebuild_(tensor_v2|parameter)"
    r"|torch (\w+Storage|Size|device|(b?float|u?int|complex)\d+|bool)|_codecs encode"
)
"""What the description of a checkpoint names: dictionaries, tensors and their storages."""
VALUE_BYTES = {
    **dict.fromkeys(("ByteStorage", "CharStorage", "BoolStorage"), 1),
    **dict.fromkeys(("ShortStorage", "HalfStorage", "BFloat16Storage"), 2),
    **dict.fromkeys(("IntStorage", "FloatStorage"), 4),
    **dict.fromkeys(("LongStorage", "DoubleStorage", "ComplexFloatStorage"), 8),
    "ComplexDoubleStorage": 16,
}
"""Of every kind of storage."""


class ArchiveError(ValueError):
    """A file that is no checkpoint, or declares what it does not hold; the message continues `<path> ...`."""


def check_archive(path: Path) -> None:
    """Refuse a file that declares more than it holds.

    Raises:
        ArchiveError: if it is no regular file, no archive as torch writes it, or a size in it is not that of its bytes.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ArchiveError("is not a regular file")
        with zipfile.ZipFile(path) as archive:
            sizes = _sizes(archive, facts.st_size)
            _check_description(_description(archive, sizes), sizes)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ArchiveError("cannot be read as a checkpoint") from error
    except OSError as error:
        raise ArchiveError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error


def check_bytes(path: Path) -> None:
    """Compare every byte of a checkpoint with the archive's checksums, which torch does not do when it loads.

    Raises:
        ArchiveError: if one does not fit.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise ArchiveError(f"is damaged: {error}") from error
    if damaged is not None:
        raise ArchiveError("is damaged: its checksums do not fit")


def _sizes(archive: zipfile.ZipFile, file_bytes: int) -> dict[str, int]:
    """Return the bytes of every record by its name below the archive's folder; together they are no more than the file."""
    entries = archive.infolist()
    if len(entries) > MOST_RECORDS:
        raise ArchiveError(f"has {len(entries)} records; at most {MOST_RECORDS} are read")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & 1:
            raise ArchiveError("has compressed or encrypted records, which torch never writes")
    sizes = {entry.filename.partition("/")[2]: entry.file_size for entry in entries}
    if len(sizes) < len(entries) or sum(sizes.values()) > file_bytes:
        raise ArchiveError("declares records twice, or more bytes than it holds")
    return sizes


def _description(archive: zipfile.ZipFile, sizes: dict[str, int]) -> bytes:
    size = sizes.get("data.pkl")
    if size is None:
        raise ArchiveError("cannot be read as a checkpoint")
    if size > LARGEST_DESCRIPTION_BYTES:
        raise ArchiveError(f"describes its content in {size} bytes; at most {LARGEST_DESCRIPTION_BYTES} are read")
    name = next(name for name in archive.namelist() if name.partition("/")[2] == "data.pkl")
    return archive.read(name)


def _check_description(description: bytes, sizes: dict[str, int]) -> None:
    try:
        for name in _named(description):
            if not KNOWN.fullmatch(name):
                raise ArchiveError(f"names {name.replace(' ', '.')[:80]!r}, which no checkpoint of this project holds")
        _Declared(description, sizes).load()
    except ArchiveError:
        raise
    except Exception as error:  # a stranger's opcodes can fail anywhere
        raise ArchiveError("cannot be read as a checkpoint") from error


def _named(description: bytes) -> Iterator[str]:
    """Return what the opcodes name; none of them is carried out."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(description)):
        if opcode.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "OBJ"):
            raise ArchiveError(f"uses {opcode.name} in its description, which torch never writes")
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > count:
            raise ArchiveError("numbers the parts of its description as torch never does")
        if opcode.name == "GLOBAL":
            yield str(argument)


class _Declared(pickle.Unpickler):
    """Read a description with stand-ins for everything it names, and hold every declared size against the records."""

    def __init__(self, description: bytes, sizes: dict[str, int]) -> None:
        super().__init__(io.BytesIO(description))
        self.sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in: dictionaries are dictionaries, tensors are checked, and all else is only a name."""
        if module == "collections":
            return _Dictionary
        return {"_rebuild_tensor_v2": _check_tensor, "_rebuild_parameter": _stand_in}.get(name, _Name(name))

    def persistent_load(self, identity: Any) -> int:
        """Return how many values a storage holds."""
        _, kind, key, _, count = identity
        size = VALUE_BYTES[kind.name]
        if self.sizes.get(f"data/{key}") != count * size:
            raise ArchiveError(
                f"declares {count} values of {size} bytes for a record of {self.sizes.get(f'data/{key}', 0)} bytes"
            )
        return int(count)


class _Dictionary(dict[Any, Any]):
    """Any kind of dictionary; it takes attributes, as that of a state_dict does."""


class _Name:
    """A name; to call it gives nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *arguments: Any) -> None:
        """Stand in for a size, a device or a text."""


def _stand_in(*arguments: Any) -> dict[Any, Any]:
    return {}


def _check_tensor(count: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *more: Any) -> None:
    """Refuse a tensor that reaches beyond its storage, or repeats it."""
    steps = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    values: int = math.prod(shape)
    whole = min((*shape, *strides, offset), default=0) >= 0 and values <= count
    if not whole or (values and offset + sum(steps) + 1 > count):
        raise ArchiveError(f"declares a tensor of shape {list(shape)[:8]} in a storage of {count} values")
