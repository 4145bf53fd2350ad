"""The few calls of the Linux kernel that confine a process, for which Python has no words of its own.

Read by the launcher, which imports little so as to be quick. Everything raises OSError with what was tried.
"""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

# prctl(2)
SET_DEATH_SIGNAL = 1
_SET_SECCOMP = 22
_DROP_FROM_BOUNDS = 24
_NO_NEW_PRIVILEGES = 38
_AMBIENT = 47
_FILTER = 2
_CLEAR_ALL = 4

# unshare(2)
NEW_MOUNTS = 0x00020000
NEW_NAMES = 0x04000000
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PROCESSES = 0x20000000
NEW_NETWORK = 0x40000000

# mount(2)
NO_SETUID = 2
NO_DEVICES = 4
NO_PROGRAMS = 8
BOUND = 4096
RECURSIVE = 16384
PRIVATE = 1 << 18
READ_ONLY = 1

# open_tree(2), move_mount(2), mount_setattr(2): the same numbers on all machines
_OPEN_TREE = 428
_MOVE_MOUNT = 429
_SET_ATTRIBUTES = 442
_AT_HERE = -100
_EMPTY_PATH = 0x1000
_OF_ALL_BELOW = 0x8000
_CLONED = 1
_FROM_EMPTY_PATH = 4
_CAPABILITY_VERSION = 0x20080522


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users")]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def checked(result: int, tried: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{tried}: {os.strerror(number)}")
    return result


def call(number: int, *arguments: object, tried: str) -> int:
    """A call that the library has no name for."""
    return checked(_LIBC.syscall(ctypes.c_long(number), *arguments), tried)


def unshare(kinds: int) -> None:
    checked(_LIBC.unshare(kinds), "new namespaces")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = [text.encode(errors="surrogateescape") for text in (source, target, kind)]
    checked(_LIBC.mount(*words, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def taken(path: str) -> int:
    """The files at a path with all that is mounted below it, to be laid elsewhere."""
    flags = _CLONED | _OF_ALL_BELOW | os.O_CLOEXEC
    return call(_OPEN_TREE, _AT_HERE, os.fsencode(path), ctypes.c_uint(flags), tried=f"take {path}")


def lay(tree: int, path: str) -> None:
    """Lay what was taken over a path."""
    call(_MOVE_MOUNT, tree, b"", _AT_HERE, os.fsencode(path), ctypes.c_uint(_FROM_EMPTY_PATH), tried=f"lay over {path}")


def change_mount(path: str, *, set: int = 0, clear: int = 0, below: bool = False) -> None:
    """Set and clear what holds for a mount, and for all that are mounted below it."""
    wanted = _Attributes(set, clear, 0, 0)
    flags = ctypes.c_uint(_OF_ALL_BELOW if below else 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    call(_SET_ATTRIBUTES, _AT_HERE, os.fsencode(path), flags, ctypes.byref(wanted), size, tried=f"protect {path}")


def prctl(option: int, argument: object = 0, more: object = 0) -> None:
    numbers = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in (argument, more)]
    checked(_LIBC.prctl(option, *numbers, ctypes.c_ulong(0), ctypes.c_ulong(0)), f"prctl {option}")


def keep_capabilities(kept: frozenset[int] = frozenset()) -> None:
    """Give up all capabilities but these, for good: also a program that is run as root does not get them back."""
    for number in range(64):
        if number in kept:
            continue
        if _LIBC.prctl(_DROP_FROM_BOUNDS, ctypes.c_ulong(number), 0, 0, 0) < 0:
            break  # the kernel knows no more of them, or they cannot be had anyway
    _LIBC.prctl(_AMBIENT, ctypes.c_ulong(_CLEAR_ALL), 0, 0, 0)
    wanted = sum(1 << number for number in kept)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    low, high = wanted & 0xFFFFFFFF, wanted >> 32
    sets = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    checked(_LIBC.capset(header, sets), "drop capabilities")


def forbid_new_privileges() -> None:
    prctl(_NO_NEW_PRIVILEGES, 1)


def obey(program: bytes) -> None:
    """Filter the calls of this process and of all that it becomes or starts."""
    content = ctypes.create_string_buffer(program, len(program))
    told = _Program(len(program) // 8, ctypes.cast(content, ctypes.c_void_p))
    prctl(_SET_SECCOMP, _FILTER, ctypes.byref(told))
