"""Choosing a session: of this project or of all, sorted, named ones alone, found by what was said; renamed and thrown away."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from codi.commands.command import Answered
from codi.frontends.sanitiser import visible
from codi.frontends.tui.lines import Line, wrapped
from codi.frontends.tui.picker import Choice
from codi.frontends.tui.pickers import rows_of, sessions
from codi.frontends.tui.tree_walk import Keys, Picked

_ORDERS = ("newest", "name", "turns", "cost")


class SessionList:
    """`beside` runs a subcommand of codi, `picked` lets the person choose, `asked` gives a line that they type, `confirmed` a yes or no."""

    def __init__(
        self,
        beside: Callable[[Sequence[str]], Awaitable[Answered]],
        *,
        picked: Picked,
        asked: Callable[[str], Awaitable[str | None]],
        confirmed: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._beside = beside
        self._picked = picked
        self._asked = asked
        self._confirmed = confirmed
        self._rows: list[dict[str, Any]] = []
        self._order = 0
        self._is_of_all = False
        self._is_of_named = False
        self._query = ""
        self._wish = ""
        self._current: Choice | None = None

    async def choose(self) -> str | None:
        """The file of the session that the person wants to go on with."""
        self._rows = await self._read()
        while True:
            self._wish = ""
            choice = await self._picked(self._title, self._choices(), keys=self._keys(), preview=self._preview)
            if not self._wish:
                return str(choice.value) if choice else None
            await self._do(self._wish)

    @property
    def _title(self) -> str:
        where = "sessions of all projects" if self._is_of_all else "session"
        said = f" with {self._query!r}" if self._query else ""
        return f"{where}{said}, {_ORDERS[self._order]} first" if self._order else f"{where}{said}"

    async def _do(self, wish: str) -> None:
        current = self._current
        match wish:
            case "all":
                self._is_of_all = not self._is_of_all
            case "find":
                self._query = await self._asked("what was said? (empty: all sessions)") or ""
            case "rename" if current:
                name = await self._asked(f"new name of {current.text!r} (empty: none)")
                if name is not None:
                    await self._beside(("sessions", "rename", str(current.value), name))
            case "trash" if current and await self._confirmed(f"Move 1 session to the trash: {current.text!r}?"):
                await self._beside(("sessions", "delete", str(current.value), "--yes"))
        self._rows = await self._read()

    async def _read(self) -> list[dict[str, Any]]:
        everywhere = ("--all",) if self._is_of_all else ()
        listed = rows_of((await self._beside(("sessions", "list", "--json", *everywhere))).text)
        if not self._query:
            return listed
        hits = rows_of((await self._beside(("sessions", "search", self._query, "--json", *everywhere))).text)
        said = {str(hit.get("path")): str(hit.get("snippet")) for hit in reversed(hits)}
        return [{**row, "found": said[str(row["path"])]} for row in listed if str(row.get("path")) in said]

    def _choices(self) -> list[Choice]:
        rows = [row for row in self._rows if row.get("name") or not self._is_of_named]
        match _ORDERS[self._order]:
            case "name":
                rows = sorted(rows, key=lambda row: str(row.get("title") or "").lower())
            case "turns":
                rows = sorted(rows, key=lambda row: -int(row.get("turns") or 0))
            case "cost":
                rows = sorted(rows, key=lambda row: -float(row.get("cost") or 0))
        return sessions(rows)

    def _keys(self) -> Keys:
        def wish(what: str) -> Callable[[Choice | None], None]:
            def leave(current: Choice | None) -> None:
                self._wish, self._current = what, current

            return leave

        def sort(_: Choice | None) -> Sequence[Choice]:
            self._order = (self._order + 1) % len(_ORDERS)
            return self._choices()

        def named(_: Choice | None) -> Sequence[Choice]:
            self._is_of_named = not self._is_of_named
            return self._choices()

        return {
            "ctrl+p": ("all projects", wish("all")),
            "ctrl+s": ("sort", sort),
            "ctrl+n": ("named", named),
            "ctrl+r": ("rename", wish("rename")),
            "ctrl+d": ("trash", wish("trash")),
            "ctrl+f": ("full text", wish("find")),
        }

    def _preview(self, choice: Choice, columns: int) -> Sequence[Line]:
        row = next((row for row in self._rows if choice.value in (row.get("path"), row.get("id"))), {})
        told = [
            str(row.get(name))
            for name in ("title", "project", "model", "modified", "found", "firstMessage")
            if row.get(name)
        ]
        return wrapped(((visible("\n".join(dict.fromkeys(told))), "dim"),), columns)
