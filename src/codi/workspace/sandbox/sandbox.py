"""What a command is confined to: derived from the grant of its action, the places of the work, and what this machine can hold."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

import anyio

from codi.protocol.network import Hear, nobody
from codi.workspace.launching.orders import Orders, View
from codi.workspace.paths import inside, real
from codi.workspace.sandbox import places
from codi.workspace.sandbox.guard import Guard
from codi.workspace.sandbox.probing import ROUTES, standing
from codi.workspace.sandbox.proxy import Proxy
from codi.workspace.sandbox.settings import SandboxSettings
from codi.workspace.sandbox.standing import OFF, Standing
from codi.workspace.workspace import Confinement

PROCESSES = 2048
FILE_BYTES = 10 << 30
_ENDLESS_S = 1e8
_NAMES = "/run/systemd/resolve"
"""Where many systems keep how names are looked up."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx")


class Way:
    """How one command is started: its orders (empty: unconfined), and what it sees in its environment."""

    def __init__(self, orders: bytes, environment: dict[str, str], guard: Guard | None) -> None:
        self.orders = orders
        self.environment = environment
        self._guard = guard

    def ended(self) -> list[str]:
        """Call it when the command has ended: what it changed and may not, which is now as it was."""
        guard, self._guard = self._guard, None
        return guard.put_back() if guard else []


class Sandbox:
    """Of one workspace. `roots` are the folders of the work; `protected` further paths that stay as they are; `is_secret`
    says of a path of the work whether secrets are kept there; `spool` is where a folder for temporary files is made;
    `standing` is how commands are confined, where that is known already; `offline` lets them reach no host, and `hear` is told of
    what they reach by the proxy."""

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        roots: Sequence[str],
        home: str,
        codi_home: str,
        protected: Sequence[str] = (),
        is_secret: Callable[[str], bool] = lambda path: False,
        spool: str = "/tmp",
        standing: Standing | None = None,
        offline: bool = False,
        hear: Hear = nobody,
    ) -> None:
        self.settings = settings
        self._roots = tuple(roots)
        self._home = home
        self._codi_home = codi_home
        self._protected = tuple(protected)
        self._is_secret = is_secret
        self._spool = spool
        self._known: Standing | None = OFF if settings.mode == "off" else standing
        self._probing = anyio.Lock()
        self._offline = offline
        self._hear = hear
        self._proxies: dict[tuple[str, ...], Proxy] = {}

    async def standing(self) -> Standing:
        """How well commands are confined here; tried once."""
        async with self._probing:
            if self._known is None:
                self._known = await standing(self._trial, self._home)
        return self._known

    async def refusal(self) -> str | None:
        """Why no command may run at all."""
        least = self.settings.require_level
        if self.settings.mode != "require":
            return None
        held = await self.standing()
        if held.level >= least:
            return None
        return f"commands must be confined at level {least}, and here only level {held.level} holds: {held.why_not}. {held.cure}"

    async def way(
        self,
        confinement: Confinement,
        cwd: str,
        environment: Mapping[str, str],
        timeout_s: float,
        programs: Sequence[str] = (),
    ) -> Way:
        """For a command that begins in `cwd` and needs these `programs`. Raises PermissionError where it must be confined and cannot
        be."""
        if why := await self.refusal():
            raise PermissionError(1, why)
        held = await self.standing()
        if held.level < 2:
            return Way(b"", dict(environment), None)
        inner = "/tmp" if held.level >= 3 else self._private
        surroundings = {**environment, "TMPDIR": inner}
        surroundings.setdefault("XDG_CACHE_HOME", os.path.join(inner, ".cache"))
        network = self._network(confinement, held)
        proxy = self._proxy(confinement.hosts or self.settings.hosts) if network == "proxy" else None
        if proxy:
            surroundings |= proxy.environment
        needed = [cwd, *programs, *([_NAMES] if network == "host" else [])]
        view, watched = self._view(confinement, needed, surroundings["PATH"], held, proxy)
        orders = self._orders(held.route, view, network, timeout_s)
        return Way(orders, surroundings, None if confinement.looks else Guard(watched, view["fixed"]))

    def close(self) -> None:
        for proxy in self._proxies.values():
            proxy.close()
        self._proxies.clear()
        if "_private" in self.__dict__:
            shutil.rmtree(os.path.dirname(self._private), onerror=_make_removable)
            del self.__dict__["_private"]

    @cached_property
    def _private(self) -> str:
        """For temporary files: one folder for all commands of the session, which nobody else sees."""
        path = os.path.join(self._spool, f"codi-{os.urandom(8).hex()}", "tmp")
        os.mkdir(os.path.dirname(path), 0o700)
        os.mkdir(path)
        os.chmod(path, 0o1777)
        return real(path)

    def _network(self, confinement: Confinement, held: Standing) -> str:
        if confinement.looks:
            return "none"
        wanted = "proxy" if confinement.hosts else self.settings.network
        # Whoever may connect at all would at level 2 reach everything, and bubblewrap has no room for our bridge.
        if self._offline and wanted == "host":
            return "none"
        return "none" if wanted == "proxy" and held.route != "own launcher" else wanted

    def _proxy(self, hosts: Sequence[str]) -> Proxy:
        named = tuple(hosts)
        if named not in self._proxies:
            path = os.path.join(os.path.dirname(self._private), f"proxy-{len(self._proxies)}")
            self._proxies[named] = Proxy(path, named, offline=self._offline, hear=self._hear)
        return self._proxies[named]

    def _view(
        self, confinement: Confinement, needed: Sequence[str], search_path: str, held: Standing, proxy: Proxy | None
    ) -> tuple[View, list[str]]:
        """What the command sees, and what must be looked after because nothing can be laid over it."""
        gits = [git for root in self._roots if (git := places.git_around(root))]
        if confinement.looks:
            writable: list[str] = []
        elif confinement.writes:
            writable = [_existing(path) for path in confinement.writes]
        else:
            folders = [folder for git in gits for folder in git.folders]
            writable = [*self._roots, *(folder for folder in folders if not inside(folder, self._roots))]
        acting = places.acting_later(self._roots, self._home, self._protected)
        acting += [path for git in gits for path in git.kept]
        acting += [git.entry for git in gits if not os.path.isdir(git.entry) or os.path.islink(git.entry)]
        acting = [path for path in dict.fromkeys(acting) if inside(path, writable)]
        kept = list(dict.fromkeys(real(path) for path in acting if os.path.exists(path)))
        entries = [git.entry for git in gits if os.path.isdir(git.entry) and not os.path.islink(git.entry)]
        watched = (
            acting if held.level < 3 else [path for path in acting if not os.path.exists(path) or os.path.islink(path)]
        )
        work = [*self._roots, *(folder for git in gits for folder in git.folders)]
        shown = [self._home, *needed, *work, *places.programs(search_path)]
        private = [] if held.level < 3 else [path for path in ("/tmp", "/var/tmp") if path not in work]
        view: View = {
            "writable": writable,
            "fixed": [entry for entry in entries if inside(entry, writable) and entry not in writable],
            "kept": kept,
            "hidden": self._hidden(confinement, needed, work) if held.level >= 3 else [],
            "private": dict.fromkeys(private, self._private) or {self._private: self._private},
            "shown": [path for path in dict.fromkeys(shown) if _needs_showing(path, writable)],
            "proxy": proxy.path if proxy else None,
            "nothing_writable": confinement.looks,
        }
        return view, watched

    def _hidden(self, confinement: Confinement, needed: Sequence[str], work: Sequence[str]) -> list[str]:
        secrets = [real(path) for path in places.secrets(self._home, self._codi_home) if os.path.exists(path)]
        hidden = [place for path in secrets for place in places.around(path, [*needed, *work])]
        if confinement.looks:
            # A command that a person allowed may need them (a program's own settings); one that nobody was asked about does not.
            hidden += places.secret_files([*needed, *self._roots], self._is_secret)
        return list(dict.fromkeys([*hidden, *places.sockets()]))

    def _orders(self, route: str, view: View, network: str, timeout_s: float) -> bytes:
        root = self._roots[0]
        orders: Orders = {
            "level": ROUTES[route],
            "route": route,
            "view": view,
            "devices": [f"/dev/{name}" for name in _DEVICES],
            "network": network,
            "among_others": os.geteuid() == 0 and os.stat(root).st_uid != 0,
            "processes": PROCESSES,
            "file_bytes": FILE_BYTES,
            "cpu_s": None if timeout_s > _ENDLESS_S else int(timeout_s + 1) * (os.cpu_count() or 1),
        }
        return json.dumps(orders).encode()

    def _trial(self, route: str) -> bytes | None:
        if route == "bubblewrap" and not shutil.which("bwrap"):
            return None
        held = Standing(ROUTES[route], route)
        view, _ = self._view(Confinement(looks=True), ["/"], os.defpath, held, None)
        return self._orders(route, view, "none", 60)


def _needs_showing(path: str, writable: Sequence[str]) -> bool:
    return inside(path, places.SHARED) and path not in places.SHARED and not inside(path, writable)


def _existing(path: str) -> str:
    """The file itself, or the folder in which it is to be made."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _make_removable(remove: Callable[..., object], path: str, _: object) -> None:
    """Commands, and the launcher itself, leave folders that may not be written in."""
    with suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        remove(path) if remove is not os.open else shutil.rmtree(path, ignore_errors=True)
