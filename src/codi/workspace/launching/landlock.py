"""Landlock: a process forbids itself all changes of files but below some places (landlock(7)).

Each version of the interface knows more kinds of access. What a kernel does not know it cannot forbid, so only that is asked of it.
"""

import ctypes
import os

from codi.workspace.launching.kernel import call

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_TELL_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_FOLDER = 1 << 3
_TRUNCATE = 1 << 14
_DEVICE_CONTROL = 1 << 15
_KNOWN_BY_VERSION = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
"""Kinds of access to files, as bits; later versions add none."""
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
_LOOKING = _EXECUTE | _READ_FILE | _READ_FOLDER
_DEVICES = _READ_FILE | _READ_FOLDER | _WRITE_FILE | _TRUNCATE | _DEVICE_CONTROL
_SCOPES_FROM = 6
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scopes")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("place", ctypes.c_int32)]


def version() -> int:
    """Of the kernel's interface; 0 where it has none or is not asked to use it."""
    try:
        return call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_TELL_VERSION), tried="Landlock")
    except OSError:
        return 0


def restrict(readable: list[str], writable: list[str], devices: list[str | int]) -> None:
    """From here on this process and its children read below some places and change files below others. A device may also be given
    by an open descriptor. What does not exist is left out. Needs `forbid_new_privileges`."""
    known_version = version()
    known = _KNOWN_BY_VERSION[min(known_version, len(_KNOWN_BY_VERSION) - 1)]
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if known_version >= _SCOPES_FROM else 0
    wanted = _Ruleset(known, 0, scopes)
    size = 24 if known_version >= _SCOPES_FROM else 8
    rules = call(_CREATE, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint(0), tried="Landlock rules")
    try:
        for places, access in ((readable, _LOOKING), (writable, known), (devices, _DEVICES)):
            for place in places:
                _add(rules, place, access & known)
        call(_RESTRICT, rules, ctypes.c_uint(0), tried="Landlock")
    finally:
        os.close(rules)


def _add(rules: int, place: str | int, access: int) -> None:
    try:
        descriptor = place if isinstance(place, int) else os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(f"/proc/self/fd/{descriptor}"):
            access &= _ON_FILES
        beneath = _Beneath(access, descriptor)
        call(_ADD, rules, _PATH_BENEATH, ctypes.byref(beneath), ctypes.c_uint(0), tried=f"Landlock rule for {place}")
    finally:
        if descriptor != place:
            os.close(descriptor)
