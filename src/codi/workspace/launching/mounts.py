"""What a confined command sees of the files: all of them to read, few to write, and some not at all.

Runs in namespaces of its own, as the first process in them, and while that still may mount.
"""

import os

from codi.workspace.launching.kernel import (
    BOUND,
    NO_DEVICES,
    NO_PROGRAMS,
    NO_SETUID,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    change_mount,
    lay,
    mount,
    taken,
)
from codi.workspace.launching.orders import PROXY, View

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_SYSTEM_IN_RUN = ("/run/current-system", "/run/booted-system", "/run/opengl-driver")
"""Where some systems keep their programs."""
_MOST_IN_MEMORY = "size=512m"
_MOST_PROCESSES = b"2048"
_HIDDEN_FOLDER, _HIDDEN_FILE = "/dev/.hidden/folder", "/dev/.hidden/file"


def arrange(view: View, terminal: str | None) -> None:
    """Lay the view over the root. `terminal` is the one that the command is given."""
    mount("none", "/", "", RECURSIVE | PRIVATE)
    for path, layers in view["overlaid"].items():
        _overlay(path, layers)
    seen = [path for path in (*view["shown"], *_SYSTEM_IN_RUN) if os.path.exists(path)]
    trees = {path: taken(path) for path in dict.fromkeys((*seen, *view["writable"]))}
    private = {path: taken(source) for path, source in view["private"].items() if os.path.isdir(path)}
    proxy = taken(view["proxy"]) if view["proxy"] else -1
    change_mount("/", set=READ_ONLY, below=True)
    for path, tree in private.items():
        lay(tree, path)
    mount("tmpfs", "/run", "tmpfs", NO_SETUID | NO_DEVICES, f"mode=755,{_MOST_IN_MEMORY}")
    for path, tree in sorted(trees.items()):
        _make_place(path, is_folder=_is_folder(tree))
        lay(tree, path)
        if path not in view["writable"]:
            change_mount(path, set=READ_ONLY, below=True)
    if proxy >= 0:
        _make_place(PROXY, is_folder=False)
        lay(proxy, PROXY)
    for path in view["fixed"]:
        mount(path, path, "", BOUND | RECURSIVE)
    for path in view["kept"]:
        if os.path.lexists(path):
            mount(path, path, "", BOUND | RECURSIVE)
            change_mount(path, set=READ_ONLY, below=True)
    _make_devices(terminal)
    _hide(view["hidden"])
    _make_proc()
    if view["nothing_writable"]:
        for path in (*private, "/run", "/dev"):
            change_mount(path, set=READ_ONLY)


def _overlay(path: str, layers: str) -> None:
    """What is written below the path lands in the layers. They are named by descriptors: of a path, options would take a comma or a
    colon for their own."""
    opened = [os.open(place, os.O_PATH | os.O_CLOEXEC) for place in (path, f"{layers}/upper", f"{layers}/work")]
    lower, upper, work = (f"/proc/self/fd/{number}" for number in opened)
    mount("overlay", path, "overlay", NO_SETUID, f"lowerdir={lower},upperdir={upper},workdir={work},userxattr")
    for number in opened:
        os.close(number)


def _is_folder(tree: int) -> bool:
    return os.path.isdir(f"/proc/self/fd/{tree}")


def _make_place(path: str, *, is_folder: bool) -> None:
    """Something to lay a tree over, where a folder of the command's own has come over it."""
    if os.path.lexists(path):
        return
    above = os.path.dirname(path)
    if not os.path.isdir(above):
        _make_place(above, is_folder=True)
    if is_folder:
        os.mkdir(path, 0o555)  # nothing is written beside what is laid there: it would be lost
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o400))


def _make_devices(terminal: str | None) -> None:
    """The few devices that every program expects: whoever is root may open those of the machine, its disks too."""
    names = [name for name in _DEVICES if os.path.exists(f"/dev/{name}")]
    trees = {f"/dev/{name}": taken(f"/dev/{name}") for name in names}
    if terminal and os.path.exists(terminal):
        trees["/dev/console"] = taken(terminal)
    mount("tmpfs", "/dev", "tmpfs", NO_SETUID | NO_PROGRAMS, f"mode=755,{_MOST_IN_MEMORY}")
    for path, tree in trees.items():
        _make_place(path, is_folder=False)
        lay(tree, path)
        os.close(tree)
    os.mkdir("/dev/shm")
    os.chmod("/dev/shm", 0o1777)
    os.mkdir("/dev/pts")
    mount("devpts", "/dev/pts", "devpts", NO_SETUID | NO_PROGRAMS, "newinstance,ptmxmode=0666,mode=620")
    for name, target in _LINKS.items():
        os.symlink(target, f"/dev/{name}")


def _hide(paths: list[str]) -> None:
    os.makedirs(_HIDDEN_FOLDER)
    os.close(os.open(_HIDDEN_FILE, os.O_CREAT | os.O_WRONLY, 0))
    os.chmod(_HIDDEN_FOLDER, 0)
    for path in paths:
        if os.path.lexists(path):
            mount(_HIDDEN_FOLDER if os.path.isdir(path) else _HIDDEN_FILE, path, "", BOUND)
            change_mount(path, set=READ_ONLY)


def _make_proc() -> None:
    mount("proc", "/proc", "proc", NO_SETUID | NO_DEVICES | NO_PROGRAMS)
    try:
        # Root is not held by the limit on processes; since Linux 6.14 each process namespace has a bound of its own.
        limit = os.open("/proc/sys/kernel/pid_max", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(limit, _MOST_PROCESSES)
        finally:
            os.close(limit)
    except OSError:
        pass
    change_mount("/proc", set=READ_ONLY)
