"""How well commands are confined on this machine, why not better, and what helps."""

import os
import sys

from msgspec import Struct

_CURES = {
    "new namespaces": "Allow namespaces of users (sysctl user.max_user_namespaces=10000, and where the system has it "
    "kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0), or install bubblewrap.",
    "mount /proc": "Leave /proc of the container whole (podman and docker: --security-opt unmask=/proc/*), or install codi outside of it.",
    "Landlock": "Start a kernel of 5.13 or newer with Landlock (lsm=landlock,... on its command line).",
}
_ELSEWHERE = "Run codi on Linux, or in a container or virtual machine with it."


class Standing(Struct, frozen=True):
    """`level` is 3 (files, secrets, network, processes), 2 (writes and network), or 1 (nothing). `route` is how; `why_not` and
    `cure` are for what the next better one lacks."""

    level: int
    route: str
    why_not: str = ""
    cure: str = ""

    @property
    def words(self) -> str:
        return f"level {self.level}, {self.route}"


OFF = Standing(
    1, "unconfined", "the sandbox is switched off", "Switch it on: --sandbox auto, or `codi config unset sandbox.mode`."
)


def unsupported() -> Standing | None:
    """Where there is nothing to try."""
    if sys.platform == "linux" and os.uname().machine in ("x86_64", "aarch64"):
        return None
    return Standing(1, "unconfined", f"codi has no sandbox for {sys.platform} {os.uname().machine}", _ELSEWHERE)


def cure_for(why: str) -> str:
    """What helps against what a launcher said."""
    return next((cure for said, cure in _CURES.items() if said in why), "Install bubblewrap.")
