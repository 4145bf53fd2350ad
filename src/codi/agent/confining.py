"""How well commands are confined here: found out before the first of them is judged, and told once where it is not well."""

from codi.agent.record import Record
from codi.protocol.events import StatusDelta
from codi.workspace.sandbox.sandbox import Sandbox


class Confining:
    """`sandbox` is None where commands are not confined by anything."""

    def __init__(self, sandbox: Sandbox | None, record: Record) -> None:
        self._sandbox = sandbox
        self._record = record
        self._is_told = False
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
        if why := await self._sandbox.refusal():
            return why
        standing = await self._sandbox.standing()
        self.level = standing.level
        if self._sandbox.settings.preview:
            self.no_preview = await self._sandbox.preview_problem() or ""
            self.shows_first = not self.no_preview
        if not self._is_told:
            self._is_told = True
            if standing.level < 2 and self._sandbox.settings.mode != "off":
                text = f"commands run unconfined: {standing.why_not}"
                self._record.tell(StatusDelta(kind="warning", text=text, hint=standing.cure))
        return None
