"""The `context_status` tool."""

import os
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import anyio
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.protocol.tooling import ToolSpec
from codi.tools.limiting import Limits
from codi.tools.output import size
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace

PROBE_S = 5.0
PROBES: tuple[tuple[str, ...], ...] = (
    ("bash", "--version"),
    ("git", "--version"),
    ("python3", "--version"),
    ("uv", "--version"),
    ("node", "--version"),
    ("npm", "--version"),
    ("go", "version"),
    ("cargo", "--version"),
    ("gcc", "--version"),
    ("make", "--version"),
    ("docker", "--version"),
)
"""The only programs that are ever asked: a model cannot name another."""

Section = Literal["tokens", "cached", "environment", "changes", "tools"]


class ContextFacts(Struct, frozen=True, kw_only=True):
    """What is known of a session's context. `tokens` are estimates by category; `cache` holds what the last request read from
    the service's cache, wrote to it, and sent anew."""

    model: str = ""
    window: int = 0
    tokens: dict[str, int] = {}
    cache: tuple[int, int, int] | None = None
    changes: tuple[tuple[str, str], ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    status: str = ""
    """HEALTHY, MODERATE, HIGH or CRITICAL."""


class ContextStatus(Struct, frozen=True, forbid_unknown_fields=True):
    """Show how much of the context is used and for what, what is cached, the environment, the files that this session changed,
    or the tools."""

    include: Annotated[tuple[Section, ...], Meta(min_length=1)] = ("tokens",)
    query: Annotated[str, Meta(description="Only tools with this in their name or description")] | None = None

    def effects(self) -> Iterable[Effect]:
        if "environment" in self.include:
            yield Reads(".")

    async def run(self, workspace: Workspace, *, limits: Limits, facts: Callable[[], ContextFacts]) -> ToolOutput:
        known = facts()
        parts = []
        for section in dict.fromkeys(self.include):
            match section:
                case "tokens":
                    parts.append(_tokens(known))
                case "cached":
                    parts.append(_cached(known, limits))
                case "environment":
                    parts.append(await _environment(workspace))
                case "changes":
                    parts.append(_changes(known))
                case "tools":
                    parts.append(self._tools(known))
        return limits.head("context_status", self, "\n\n".join(parts))

    def _tools(self, facts: ContextFacts) -> str:
        wanted = (self.query or "").casefold()
        found = [tool for tool in facts.tools if wanted in f"{tool.name} {tool.description}".casefold()]
        lines = [f"{tool.name}: {tool.description.partition(chr(10))[0]}" for tool in found]
        return "\n".join(["Tools:", *lines] if lines else [f'No tool has "{self.query}" in its name or description.'])


def _tokens(facts: ContextFacts) -> str:
    used = sum(facts.tokens.values())
    of = f" of {facts.window} tokens ({used * 100 // facts.window} %, {facts.status})" if facts.window else " tokens"
    lines = [f"  {name}: {count}" for name, count in facts.tokens.items()]
    return "\n".join([f"Context{f' of {facts.model}' if facts.model else ''}: ~{used}{of}", *lines])


def _cached(facts: ContextFacts, limits: Limits) -> str:
    kept = limits.results.newest(1_000_000)
    lines = [f"Results kept for recall: {len(kept)} ({size(sum(header.bytes for header in kept))})"]
    if facts.cache is not None:
        read, written, sent = facts.cache
        lines.append(f"Last request: {read} tokens from the cache, {written} written to it, {sent} sent anew")
    return "\n".join(lines)


def _changes(facts: ContextFacts) -> str:
    if not facts.changes:
        return "This session changed no files."
    return "\n".join(["Changed in this session:", *(f"  {kind}: {path}" for path, kind in facts.changes)])


async def _environment(workspace: Workspace) -> str:
    versions: dict[str, str] = {}

    async def probe(words: tuple[str, ...]) -> None:
        try:
            with anyio.move_on_after(PROBE_S):
                async for line in workspace.lines_of(words):
                    versions.setdefault(words[0], line.decode(errors="replace").strip()[:200])
        except OSError:
            return  # it is not there, or does not know itself

    async with anyio.create_task_group() as tasks:
        for words in PROBES:
            tasks.start_soon(probe, words)
    system = os.uname()
    lines = [f"System: {system.sysname} {system.release} {system.machine}", f"Workspace: {workspace.root}"]
    return "\n".join(lines + [f"{words[0]}: {versions[words[0]]}" for words in PROBES if words[0] in versions])
