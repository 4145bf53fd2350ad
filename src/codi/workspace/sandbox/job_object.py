"""The same confinement in the words of Windows: a restricted token at low integrity, and a job that ends with its handle.

It keeps nobody from reading and leaves the network open, so it is called level 1.5.
"""

import struct

from msgspec import Struct

from codi.workspace.launching.orders import View

LEVEL = 1.5

# CreateRestrictedToken
_DISABLE_MAX_PRIVILEGE = 0x1
_LUA_TOKEN = 0x4
_WRITE_RESTRICTED = 0x8
LOW_INTEGRITY = "S-1-16-4096"
_RESTRICTED_CODE = "S-1-5-12"

# JOBOBJECT_EXTENDED_LIMIT_INFORMATION
_ACTIVE_PROCESSES = 0x8
_PROCESS_TIME = 0x2
_DIE_ON_UNHANDLED = 0x400
_KILL_ON_CLOSE = 0x2000
_TICKS_A_SECOND = 10_000_000

_ALL_UI = 0xFF
"""JOBOBJECT_BASIC_UI_RESTRICTIONS: no clipboard, desktop, settings or handles of others."""


class Plan(Struct, frozen=True):
    """What is asked of the system, in its order: a token, a job, an access list for what may be written."""

    token_flags: int
    restricting: tuple[str, ...]
    integrity: str
    limits: bytes
    ui_limits: int
    access: tuple[tuple[str, str], ...]
    """Folders, and what is added to their lists of access (SDDL)."""


def plan(view: View, processes: int, cpu_s: int | None) -> Plan:
    writable = [] if view["nothing_writable"] else [*view["writable"], *view["private"].values()]
    grants = [(path, f"(A;OICI;0x1301bf;;;{_RESTRICTED_CODE})") for path in dict.fromkeys(writable)]
    denials = [(path, f"(D;OICI;WD;;;{_RESTRICTED_CODE})") for path in view["kept"]]
    return Plan(
        token_flags=_DISABLE_MAX_PRIVILEGE | _LUA_TOKEN | _WRITE_RESTRICTED,
        restricting=(_RESTRICTED_CODE,),
        integrity=LOW_INTEGRITY,
        limits=limits(processes, cpu_s),
        ui_limits=_ALL_UI,
        access=(*grants, *denials),
    )


def limits(processes: int, cpu_s: int | None) -> bytes:
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION as a 64-bit system lays it out."""
    flags = _KILL_ON_CLOSE | _ACTIVE_PROCESSES | _DIE_ON_UNHANDLED | (_PROCESS_TIME if cpu_s is not None else 0)
    of_process = (cpu_s or 0) * _TICKS_A_SECOND
    plain = struct.pack("<qqIxxxxQQIxxxxQII", of_process, 0, flags, 0, 0, processes, 0, 0, 0)
    return plain + bytes(6 * 8) + bytes(4 * 8)
