"""What a command is confined to: derived from the grant of its action, the places of the work, and what this machine can hold."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import anyio
from msgspec import structs

from codi.protocol.network import Connection, Hear, nobody
from codi.workspace.launching.orders import Orders, View
from codi.workspace.leftovers import OwnFolder
from codi.workspace.paths import inside, real
from codi.workspace.sandbox import places
from codi.workspace.sandbox.guard import Guard
from codi.workspace.sandbox.probing import ROUTES, foreign_files, overlay_failure, standing, submounts
from codi.workspace.sandbox.proxy import Proxy
from codi.workspace.sandbox.settings import Mode, SandboxSettings
from codi.workspace.sandbox.standing import OFF, Standing
from codi.workspace.trial import Overlaid
from codi.workspace.workspace import Confinement

PROCESSES = 2048
FILE_BYTES = 10 << 30
_ENDLESS_S = 1e8
_MEMORY = "/dev/shm"
_NAMES = "/run/systemd/resolve"
"""Where many systems keep how names are looked up."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx")


class Way:
    """How one command is started: its orders (empty: unconfined), and what it sees in its environment."""

    def __init__(
        self, orders: bytes, environment: dict[str, str], guard: Guard | None, overlay: Overlaid | None = None
    ) -> None:
        self.orders = orders
        self.environment = environment
        self.overlay = overlay
        """Where it runs on one: its changes are nobody's until they are committed."""
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
        self._overlays: str | None = None
        self._layers = spool
        self._own = OwnFolder(spool)
        self._heard: list[str] = []

    def choose(self, mode: Mode) -> None:
        """What runs from now on is confined so."""
        if self.settings.mode == mode:
            return
        self._known = OFF if mode == "off" else None
        self._overlays = None
        self.settings = structs.replace(self.settings, mode=mode)

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
        overlay = self._overlay(view, [*watched, *view["kept"]]) if confinement.keeping else None
        orders = self._orders(held.route, view, network, timeout_s)
        guard = None if confinement.looks or overlay else Guard(watched, view["fixed"])
        return Way(orders, surroundings, guard, overlay)

    async def preview_problem(self) -> str | None:
        """Why no command can be tried on an overlay here; None where one can."""
        async with self._probing:
            if self._overlays is None:
                self._overlays = await self._probed_overlay()
        return self._overlays or None

    @property
    def network(self) -> str:
        """What commands reach whose own hosts are not known: `none`, `proxy`, or `host`, as far as it is known how they are confined."""
        return self.settings.network if self._known is None else self._network(Confinement(), self._known)

    def contacts(self, confinement: Confinement) -> tuple[str, ...] | None:
        """What commands asked the proxy for since the last look, each with what came of it; None where they have the network of the
        machine."""
        heard, self._heard = self._heard, []
        network = "none" if self._known is None else self._network(confinement, self._known)
        return None if network == "host" else tuple(dict.fromkeys(heard))

    async def _probed_overlay(self) -> str:
        """Try it on the folders of the work. Why it does not hold; empty where it does."""
        if self._known is None:
            self._known = await standing(self._trial, self._home)
        held = self._known
        if held.route != "own launcher":
            return f"an overlay needs codi's own launcher at level 3, and here is {held.words}"
        if mounted := submounts(self._roots):
            return f"{mounted[0]} is a mount of its own, which an overlay does not show"
        if not self._is_among_others and (foreign := foreign_files(self._roots)):
            return f"{foreign[0]} belongs to another user or group, and a command knows only its own"
        failure = ""
        for place in dict.fromkeys((self._spool, _MEMORY)):
            self._layers = place
            try:
                view, watched = self._view(Confinement(), ["/"], os.defpath, held, None)
                overlay = self._overlay(view, watched)
            except OSError as error:
                failure = failure or str(error)
                continue
            try:
                told = await overlay_failure(self._orders(held.route, view, "none", 60), self._roots[0])
            finally:
                overlay.drop()
            if told is None:
                return ""
            failure = failure or told
        return failure

    def _overlay(self, view: View, barred: Sequence[str]) -> Overlaid:
        from codi.workspace.sandbox.overlay import Overlay  # for the few who want to see before it is true

        above = self._own.path if self._layers == self._spool else self._layers
        overlay = Overlay(view["writable"], os.path.join(above, f"overlay-{os.urandom(4).hex()}"), barred)
        view["overlaid"] = dict(overlay.mounts)
        return overlay

    def _hear_command(self, connection: Connection) -> None:
        self._heard.append(f"{connection.host}:{connection.port} ({connection.verdict})")
        self._hear(connection)

    def close(self) -> None:
        for proxy in self._proxies.values():
            proxy.close()
        self._proxies.clear()
        self._own.close()
        self.__dict__.pop("_private", None)

    @cached_property
    def _private(self) -> str:
        """For temporary files: one folder for all commands of the session, which nobody else sees."""
        path = os.path.join(self._own.path, "tmp")
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
            path = os.path.join(self._own.path, f"proxy-{len(self._proxies)}")
            self._proxies[named] = Proxy(path, named, offline=self._offline, hear=self._hear_command)
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
            "overlaid": {},
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
        orders: Orders = {
            "level": ROUTES[route],
            "route": route,
            "view": view,
            "devices": [f"/dev/{name}" for name in _DEVICES],
            "network": network,
            "among_others": self._is_among_others,
            "processes": PROCESSES,
            "file_bytes": FILE_BYTES,
            "cpu_s": None if timeout_s > _ENDLESS_S else int(timeout_s + 1) * (os.cpu_count() or 1),
        }
        return json.dumps(orders).encode()

    @property
    def _is_among_others(self) -> bool:
        return os.geteuid() == 0 and os.stat(self._roots[0]).st_uid != 0

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
