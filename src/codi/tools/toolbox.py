"""The tools of a session: what a model is told of them, and what its calls mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from codi.protocol.effects import Reads
from codi.protocol.errors import UsageError
from codi.protocol.tooling import ToolSpec
from codi.tools.names import (
    ORDER,
    UnfitArguments,
    alias_of,
    canonical_arguments,
    folded,
    is_sure,
    mapping_line,
    nearest,
    no_such_tool,
)
from codi.tools.tool import Action, Tool, ToolFailed

Profile = Literal["full", "minimal", "nano"]

_PROFILES: dict[Profile, frozenset[str] | None] = {
    "full": None,
    "minimal": frozenset(["read", "write", "edit", "shell", "grep", "glob", "list", "todo"]),
    "nano": frozenset(["read", "write", "edit", "shell", "grep"]),
}
CALLS_A_STEP: dict[Profile, int | None] = {"full": None, "minimal": 1, "nano": 1}
"""How many calls of one reply are run; None is all."""

_PARAMETERS = re.compile(r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")


class Resolved(Struct, frozen=True):
    """A call as it is judged and run: the canonical name and arguments. `mapped` is how its result begins when the model
    called it by other names. There is no `tool` where the action is the person's."""

    tool: Tool | None
    name: str
    arguments: dict[str, Any]
    action: Action
    mapped: str | None = None


class Toolbox:
    """Tools in their fixed order, foreign ones behind; no two share a name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        places = {name: place for place, name in enumerate(ORDER)}
        self.tools = tuple(sorted(tools, key=lambda tool: places.get(tool.spec.name, len(places))))
        self._by_name = {tool.spec.name: tool for tool in self.tools}
        if len(self._by_name) < len(self.tools):
            names = [tool.spec.name for tool in self.tools]
            raise ValueError(f"two tools are called {next(name for name in names if names.count(name) > 1)}")

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self.tools)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def resolve(self, name: str, arguments: dict[str, Any]) -> Resolved:
        """The action that a call means. ToolFailed tells the model what is wrong with it."""
        canonical = self.canonical(name, arguments)
        if canonical is not None:
            return self._resolved(name, canonical, arguments)
        near = nearest(name, self._by_name)
        unknown = ToolFailed(no_such_tool(name, near, self._by_name))
        if not near or not is_sure(name, near):
            raise unknown
        try:
            guessed = self._resolved(name, near[0][0], arguments)
        except ToolFailed:
            raise unknown from None
        # A guess may look, never do.
        if all(isinstance(effect, Reads) for effect in guessed.action.effects()):
            return guessed
        raise unknown

    def canonical(self, name: str, arguments: Mapping[str, Any] = {}) -> str | None:
        """The canonical name that a name certainly stands for."""
        if name in self._by_name:
            return name
        alias = alias_of(name, arguments)
        if alias is not None and alias.tool in self._by_name:
            return alias.tool
        return next((canonical for canonical in self._by_name if folded(canonical) == folded(name)), None)

    def _resolved(self, name: str, canonical: str, arguments: dict[str, Any]) -> Resolved:
        tool = self._by_name[canonical]
        renamed: list[tuple[str, str]] = []
        alias = alias_of(name, arguments) if name not in self._by_name else None
        if alias is not None and alias.tool == canonical:
            try:
                arguments, renamed = alias.rewrite(arguments) if alias.rewrite else (arguments, [])
            except UnfitArguments as error:
                raise ToolFailed(f'Validation failed for tool "{name}":\n - {error}') from error
        if canonical in ORDER:
            # Foreign tools have words of their own, which are not ours to change.
            arguments, more = canonical_arguments(canonical, arguments, tool.spec.parameters.get("properties", {}))
            renamed = [*renamed, *more]
        if alias is not None and alias.tool == canonical:
            arguments = {**alias.presets, **arguments}
        return Resolved(tool, canonical, arguments, tool.prepare(arguments), mapping_line(name, canonical, renamed))

    def in_profile(self, profile: Profile) -> "Toolbox":
        wanted = _PROFILES[profile]
        return self if wanted is None else Toolbox(tool for tool in self.tools if tool.spec.name in wanted)

    def only(self, names: Sequence[str]) -> "Toolbox":
        """Exactly these. UsageError for a name that is no tool's, or when none is left."""
        wanted = {self._wanted(name) for name in names}
        if not wanted:
            raise UsageError("The list of tools leaves none.", hint=f"Available: {', '.join(self._by_name)}.")
        return Toolbox(tool for tool in self.tools if tool.spec.name in wanted)

    def without(self, names: Sequence[str]) -> "Toolbox":
        """All but these. UsageError for a name that is no tool's, or when none is left."""
        unwanted = {self._wanted(name) for name in names}
        if self.tools and len(unwanted) == len(self.tools):
            raise UsageError("Every tool is switched off.", hint="Leave one, or use --no-tools.")
        return Toolbox(tool for tool in self.tools if tool.spec.name not in unwanted)

    def complaint_about(self, name: str) -> str | None:
        """What is wrong with the name of a tool in a setting, with the nearest that exists; None for a good one."""
        return None if self.canonical(name) else no_such_tool(name, nearest(name, self._by_name), self._by_name)

    def _wanted(self, name: str) -> str:
        known = self.canonical(name)
        if known is None:
            near = nearest(name, self._by_name)
            raise UsageError(
                no_such_tool(name, near, self._by_name), hint=f"Tools that exist: {', '.join(self._by_name)}."
            )
        return known


def profile_for(model: str, window: int | None) -> Profile:
    """What a model can cope with, by the size that its id tells, and its window in tokens."""
    sizes = [
        int(times or 1) * float(count) * (1.0 if unit == "b" else 0.001)
        for times, count, unit in _PARAMETERS.findall(model.lower())
    ]
    billions = max(sizes, default=None)
    if billions is not None and billions <= 4:
        return "nano"
    if (billions is not None and billions <= 15) or (window is not None and window < 16_384):
        return "minimal"
    return "full"
