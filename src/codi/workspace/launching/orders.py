"""What codi tells the launcher of one command, as JSON."""

from typing import TypedDict

PROXY = "/run/proxy"
"""Where the socket lies that leads to the network, if there is one."""
PROXY_PORT = 3128
"""Where programs find it."""


class View(TypedDict):
    """Absolute real paths. `writable` are bound as they are; `fixed` can be written in, but not renamed or replaced; `kept` are
    read-only, wherever they lie; `hidden` cannot be looked into; `private` are folders of the command's own, laid over those that
    all share; of these only `shown` is still to be seen. `overlaid` are folders whose changes are kept apart, each in the folders
    `upper` and `work` of another. `proxy` is a socket, if there is one."""

    writable: list[str]
    overlaid: dict[str, str]
    fixed: list[str]
    kept: list[str]
    hidden: list[str]
    private: dict[str, str]
    shown: list[str]
    proxy: str | None
    nothing_writable: bool


class Orders(TypedDict):
    """What holds for one command, as codi tells it (JSON)."""

    level: int
    route: str
    view: View
    devices: list[str]
    network: str
    """`none`, `proxy`, or `host`: that of the machine."""
    among_others: bool
    """The files of the workspace belong to others, and the command is run by root."""
    processes: int
    file_bytes: int
    cpu_s: int | None
