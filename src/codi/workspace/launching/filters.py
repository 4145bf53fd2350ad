"""The program by which the kernel refuses calls (seccomp), written instruction by instruction for each machine.

An instruction is a code, two jumps and a number (struct sock_filter); what it looks at is struct seccomp_data: the call's number, the
machine, and six arguments of 8 bytes.
"""

import struct

_LOAD = 0x20
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_ANY_BIT = 0x45
_JUMP_IF_AT_LEAST = 0x35
_AND = 0x54
_RETURN = 0x06

_ALLOW = 0x7FFF0000
_ERROR = 0x00050000
_EPERM = 1
_ENOSYS = 38

_AT_NUMBER = 0
_AT_MACHINE = 4
_FIRST_OF_ANOTHER_ABI = 0x40000000
"""On x86_64: the numbers of x32."""

_UNIX, _IPV4, _IPV6 = 1, 2, 10
_STREAM, _DATAGRAM = 1, 2
_KIND_OF_SOCKET = 0xF
_NEW_NAMESPACES = 0x7E020080
_PUSH_INPUT = 0x5412
"""ioctl TIOCSTI: types into a terminal in the name of the person."""
_CONSOLE = 0x541C
"""ioctl TIOCLINUX: can do the same."""

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Names of `os.uname` and what the kernel calls them (AUDIT_ARCH)."""

_NUMBERS: dict[str, tuple[int, int]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265), "pidfd_getfd": (438, 438),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "clock_settime": (227, 112), "settimeofday": (164, 170),
}  # fmt: skip
"""What is refused whatever the arguments: the number on x86_64, and on aarch64."""

_CLONE3 = 435
_LOOKED_AT: dict[str, tuple[int, int]] = {
    "ioctl": (16, 29), "clone": (56, 220), "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "sendto": (44, 206),
}  # fmt: skip


def program(machine: str, network: str, *, connects: bool = True) -> bytes:
    """What a confined process obeys. `network` is `none`; `proxy`, where it may open TCP sockets, for it has a network of its own; or
    `host`, where it may open any. Without `connects` it may not connect to anything. Raises ValueError for an unknown machine."""
    column = [*MACHINES].index(machine)
    number = {name: numbers[column] for name, numbers in _LOOKED_AT.items()}
    refuse = _returns(_ERROR | _EPERM)
    told = [_load(_AT_MACHINE), _jump(_JUMP_IF_EQUAL, MACHINES[machine], 1, 0), refuse, _load(_AT_NUMBER)]
    told += [_jump(_JUMP_IF_AT_LEAST, _FIRST_OF_ANOTHER_ABI, 0, 1), refuse]
    for numbers in _NUMBERS.values():
        told += [_jump(_JUMP_IF_EQUAL, numbers[column], 0, 1), refuse]
    # Its flags lie where a filter cannot look; the C library then takes the older call.
    told += [_jump(_JUMP_IF_EQUAL, _CLONE3, 0, 1), _returns(_ERROR | _ENOSYS)]
    told += _for(number["ioctl"], [_load_argument(1), *_refused(_PUSH_INPUT), *_refused(_CONSOLE)])
    told += _for(number["clone"], [_load_argument(0), _jump(_JUMP_IF_ANY_BIT, _NEW_NAMESPACES, 0, 1), refuse])
    if network != "host":
        told += _for(number["socket"], _sockets(network=network == "proxy", datagrams=connects))
        told += _for(number["socketpair"], _sockets(network=False, datagrams=connects))
        if not connects:
            told += _for(number["connect"], [refuse])
            told += _for(number["sendto"], [*_non_zero(_argument(4)), *_non_zero(_argument(4) + 4)])
    return b"".join([*told, _returns(_ALLOW)])


def _non_zero(offset: int) -> list[bytes]:
    return [_load(offset), _jump(_JUMP_IF_EQUAL, 0, 1, 0), _returns(_ERROR | _EPERM)]


def _sockets(*, network: bool, datagrams: bool) -> list[bytes]:
    """Sockets of this machine, for streams alone where a datagram could name somebody else; with a network, TCP as well."""
    refuse, allow = _returns(_ERROR | _EPERM), _returns(_ALLOW)
    kind = [_load_argument(1), struct.pack("=HBBI", _AND, 0, 0, _KIND_OF_SOCKET)]
    unix = [allow] if datagrams else [*kind, *_refused(_DATAGRAM), *_refused(3), allow]
    told = [_load_argument(0), _jump(_JUMP_IF_EQUAL, _UNIX, 0, len(unix)), *unix]
    if network:
        streams = [*kind, _jump(_JUMP_IF_EQUAL, _STREAM, 0, 1), allow, refuse]
        told += [_jump(_JUMP_IF_EQUAL, _IPV4, 1, 0), _jump(_JUMP_IF_EQUAL, _IPV6, 0, len(streams)), *streams]
    return [*told, refuse]


def _for(number: int, steps: list[bytes]) -> list[bytes]:
    """Steps for one call; those that do not decide lead to its being allowed."""
    return [_jump(_JUMP_IF_EQUAL, number, 0, len(steps) + 1), *steps, _returns(_ALLOW)]


def _refused(value: int) -> list[bytes]:
    return [_jump(_JUMP_IF_EQUAL, value, 0, 1), _returns(_ERROR | _EPERM)]


def _argument(number: int) -> int:
    return 16 + 8 * number  # its lower half: both machines keep that first


def _load_argument(number: int) -> bytes:
    return _load(_argument(number))


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, offset)


def _jump(code: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _returns(value: int) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, value)
