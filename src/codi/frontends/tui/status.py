"""The line at the bottom: where we are, what it costs, how full the window is, who thinks."""

from collections.abc import Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.cells import cut_in_the_middle, width
from codi.frontends.tui.lines import Line, Span, clipped
from codi.protocol.events import (
    ContextCompacted,
    Entry,
    Event,
    JobEndedDelta,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    PolicyChosen,
    SandboxDelta,
    SessionOpened,
    ThinkingChosen,
    TitleGiven,
    TodoWritten,
)
from codi.protocol.messages import Message, Usage

_NARROW, _TINY = 60, 30

_PLAIN = str | int | float | None
"""Of what kinds all is that the line is made of, but for the jobs, of which it shows the number."""


class Status:
    """Folded from the events of one conversation. `order` are the items that a person wants to see; `said` is what a program of
    theirs says instead of all."""

    def __init__(self, cwd: str, home: str, order: Sequence[str] = (), *, unicode: bool = True) -> None:
        self.said = ""
        self._order = order
        self.cwd = f"~{cwd[len(home) :]}" if home and (cwd == home or cwd.startswith(f"{home}/")) else cwd
        self.model = ""
        self.provider = ""
        self.thinking = "off"
        self.mode = "default"
        self.title = ""
        self.window = 0
        self.used = 0
        self._arrows = ("↑", "↓") if unicode else ("in ", "out ")
        self._dot = "•" if unicode else "-"
        self._jobs: dict[str, str] = {}
        self.sandbox = ""
        self.queued = 0
        self._git = ""
        self._input = self._output = self._read = self._written = 0
        self._cost: float | None = 0.0
        self._todo = ""
        self._drawn: tuple[tuple[object, ...], Line] = ((), ())

    def hear(self, event: Event) -> None:
        if isinstance(event, SandboxDelta):
            self.sandbox = "" if event.level > 1 else "sandbox off" if event.mode == "off" else "unconfined"
        if isinstance(event, JobEndedDelta):
            self._jobs[event.job] = "ended"
        if not isinstance(event, Entry):
            return
        if isinstance(event.fact, SessionOpened):
            self._jobs.clear()  # no job outlives its codi
        match event.fact:
            case ModelChosen(provider, model):
                self.provider, self.model = provider, model
            case ModelDescribed(window=window):
                self.window = window
            case ThinkingChosen(level):
                self.thinking = level
            case PolicyChosen(mode):
                self.mode = mode
            case TitleGiven(name):
                self.title = name
            case SessionOpened(git=git) if git:
                self._git = f"{git.get('branch') or 'detached'}{'*' if git.get('dirty') else ''}"
            case TodoWritten(items):
                done = sum(item.status == "completed" for item in items)
                self._todo = f"todo {done}/{len(items)}" if items else ""
            case MessageAdded(_, reply) if reply:
                self._add(reply.usage)
            case MessageAdded(Message("user") as message):
                for result in message.tool_results:
                    job = (result.details or {}).get("job")
                    if isinstance(job, dict) and self._jobs.get(str(job.get("id"))) != "ended":
                        self._jobs[str(job.get("id"))] = str(job.get("state"))
            case ContextCompacted():
                self.used = 0

    @property
    def facts(self) -> dict[str, object]:
        """What a program of the person's is told."""
        return {
            "cwd": self.cwd,
            "title": self.title,
            "branch": self._git,
            "provider": self.provider,
            "model": self.model,
            "thinking": self.thinking,
            "mode": self.mode,
            "input": self._input,
            "output": self._output,
            "cacheRead": self._read,
            "cacheWrite": self._written,
            "cost": self._cost,
            "used": self.used,
            "window": self.window,
        }

    @property
    def jobs(self) -> int:
        """How many run, as far as was told."""
        return sum(state == "running" for state in self._jobs.values())

    def line(self, columns: int) -> Line:
        """One row, with less on it the narrower the window is."""
        told = (columns, self.jobs, *(value for value in vars(self).values() if isinstance(value, _PLAIN)))
        if self._drawn[0] != told:
            self._drawn = told, self._line(columns)
        return self._drawn[1]

    def _line(self, columns: int) -> Line:
        if self.said:
            return clipped(((visible(self.said), "dim"),), columns)
        if self._order and columns >= _TINY:
            return self._ordered(columns)
        share = self._share()
        model = visible(self.model)
        if columns < _TINY:
            return clipped((*share, (" ", ""), (model, "dim")), columns)
        cost: list[Span] = [("$?" if self._cost is None else f"${self._cost:.3f}", "dim")]
        level = f" {self._dot} {self.thinking}" if self.thinking != "off" else ""
        right: list[Span] = [(model + level, "dim")]
        for extra in (self._todo, f"{self.jobs} job{'' if self.jobs == 1 else 's'}" if self.jobs else "", self.sandbox):
            if extra and columns >= _NARROW:
                right.append((f" {extra}", "dim"))
        if columns < _NARROW:
            return _spread([], [*cost, (" ", ""), *share], right, columns)
        tokens = self._tokens()
        middle: list[Span] = [(f"{tokens} ", "dim"), *cost, (" ", ""), *share]
        branch = f" ({self._git})" if self._git else ""
        title = f" {self.title}" if self.title else ""
        room = columns - sum(width(text) for text, _ in (*middle, *right)) - 4
        where = cut_in_the_middle(visible(self.cwd + branch + title), max(room, 8))
        return _spread([(where, "dim")], middle, right, columns)

    def _tokens(self) -> str:
        up, down = self._arrows
        cached = f" R{_short(self._read)} W{_short(self._written)}" if self._read or self._written else ""
        return f"{up}{_short(self._input)} {down}{_short(self._output)}{cached}"

    def _ordered(self, columns: int) -> Line:
        """The items that the person chose; what is not there is left away."""
        level = f" {self._dot} {self.thinking}" if self.thinking != "off" else ""
        texts = {
            "cwd": self.cwd,
            "branch": self._git,
            "title": self.title,
            "tokens": self._tokens(),
            "cost": "$?" if self._cost is None else f"${self._cost:.3f}",
            "model": self.model + level,
            "mode": self.mode,
            "todo": self._todo,
            "jobs": f"{self.jobs} job{'' if self.jobs == 1 else 's'}" if self.jobs else "",
            "sandbox": self.sandbox,
        }
        spans: list[Span] = []
        for name in self._order:
            item = self._share() if name == "context" else [(visible(texts[name]), "dim")] if texts[name] else []
            spans += [("  ", ""), *item] if spans and item else item
        return clipped(spans, columns)

    def _add(self, usage: Usage) -> None:
        self._input += usage.input
        self._output += usage.output
        self._read += usage.cache_read
        self._written += usage.cache_write
        self._cost = None if self._cost is None or usage.cost is None else self._cost + usage.cost.total
        self.used = usage.total or self.used

    def _share(self) -> list[Span]:
        if not self.window:
            return []
        percent = 100 * self.used / self.window
        style = "error" if percent >= 85 else "warning" if percent >= 70 else "dim"
        return [(f"{percent:.0f}%/{_short(self.window)}", style)]


def _short(count: int) -> str:
    if count < 1000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1000:.1f}k" if count < 10_000 else f"{count // 1000}k"
    return f"{count / 1_000_000:.1f}M"


def _spread(left: list[Span], middle: list[Span], right: list[Span], columns: int) -> Line:
    """Three parts over one row; what does not fit is left away from the left."""
    wide = [sum(width(text) for text, _ in part) for part in (left, middle, right)]
    free = columns - sum(wide)
    if free < 2:
        return clipped((*middle, (" ", ""), *right), columns)
    before = max(1, min((columns - wide[1]) // 2 - wide[0], free - 1)) if left else 0
    return (*left, (" " * before, ""), *middle, (" " * (free - before), ""), *right)
