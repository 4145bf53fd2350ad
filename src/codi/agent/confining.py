"""How well commands are confined here: found out before the first of them is judged, and told once where it is not well."""

from msgspec.structs import replace

from codi.agent.record import Record
from codi.protocol.events import SandboxDelta, StatusDelta
from codi.workspace.sandbox.sandbox import Sandbox
from codi.workspace.sandbox.settings import Mode
from codi.workspace.sandbox.standing import OFF, Standing


class Confining:
    """`sandbox` is None where commands are not confined by anything."""

    def __init__(self, sandbox: Sandbox | None, record: Record) -> None:
        self._sandbox = sandbox
        self._record = record
        self._is_told = False
        self.told: SandboxDelta | None = None
        """How it stands, once that is known; that nothing is confined is known at once."""
        if sandbox and sandbox.settings.mode == "off":
            self.told = _told("off", OFF)
        self.level = 1
        self.shows_first = False
        """Whether commands run on an overlay, and nothing of what they change is true before it is decided on."""
        self.no_preview = ""
        """Why that is wanted and not so."""

    @property
    def holds(self) -> bool:
        """Whether commands cannot write what they may not."""
        return self.level >= 2

    @property
    def network(self) -> str:
        """What commands reach that do more than look: `none`, `proxy`, or `host`."""
        return self._sandbox.network if self._sandbox else "host"

    async def refusal(self) -> str | None:
        """Look how it stands. Why no command may run at all."""
        if self._sandbox is None:
            return None
        standing = await self._sandbox.standing()
        self.level = standing.level
        self.told = _told(self._sandbox.settings.mode, standing)
        if why := await self._sandbox.refusal():
            return why
        if self._sandbox.settings.preview:
            self.no_preview = await self._sandbox.preview_problem() or ""
            self.shows_first = not self.no_preview
        if not self._is_told:
            self._is_told = True
            self._record.tell(self.told)
            if standing.level < 2 and self._sandbox.settings.mode != "off":
                text = f"commands run unconfined: {standing.why_not}"
                self._record.tell(StatusDelta(kind="warning", text=text, hint=standing.cure))
        return None

    async def choose(self, mode: Mode | None) -> SandboxDelta:
        """Confine what runs from now on otherwise, where a mode is given; how it stands."""
        if self._sandbox is None:
            return SandboxDelta("off", 1, "level 1, unconfined")
        if mode:
            self._sandbox.choose(mode)
        self._is_told = True
        why = await self.refusal()
        assert self.told
        return replace(self.told, text=f"no command runs: {why}") if why else self.told


def _told(mode: Mode, standing: Standing) -> SandboxDelta:
    lacks = f" ({standing.why_not})" if standing.why_not else ""
    return SandboxDelta(mode, standing.level, f"sandbox {mode}: {standing.words}{lacks}", standing.cure)
