"""Names of files and folders that POSIX systems and Windows can both store, so that what is made here can be taken there."""

import re

_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_ENDS = (" ", ".")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])\s*(\..*)?", re.IGNORECASE)
"""Windows opens these in place of a file, whatever suffix follows."""


def unstorable(name: str) -> str:
    """Say why Windows cannot store a name, one part of a path; nothing if it can.

    >>> unstorable("a:b"), unstorable("nul.txt"), unstorable("ends."), unstorable("lr=0.1")
    ("holds ':'", 'is a device of Windows', "ends in '.'", '')
    """
    if found := _REFUSED.search(name):
        return f"holds {found[0]!r}"
    if name.endswith(_ENDS):
        return f"ends in {name[-1]!r}"
    return "is a device of Windows" if _DEVICES.fullmatch(name) else ""


def storable(name: str) -> str:
    """Return a name that both can store, with underscores in place of what Windows refuses.

    >>> storable("steps=a: 1"), storable("con"), storable("a.b.")
    ('steps=a_ 1', '_con', 'a.b_')
    """
    kept = _REFUSED.sub("_", name)
    if kept.endswith(_ENDS):
        kept = f"{kept[:-1]}_"
    return f"_{kept}" if _DEVICES.fullmatch(kept) else kept
