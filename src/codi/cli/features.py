"""`codi doctor --features`: every feature with whether it is active here, could be, or cannot, and why."""

import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from shutil import which
from typing import Any, Literal

import anyio
from msgspec import Struct

from codi.cli.health import parts_of
from codi.cli.printing import print_json, print_table
from codi.credentials.ring import KeyRing, NoRing
from codi.engine.assembly import Assembly
from codi.policy.shell.grammar import tree_of
from codi.protocol.errors import CodiError
from codi.tools.web_engines import engines

_LATER = "it is not built yet"


class Feature(Struct, frozen=True):
    """`active`: in use with these settings. `available`: it works here and is not switched on. `unavailable`: `reason` says why."""

    name: str
    status: Literal["active", "available", "unavailable"]
    reason: str


def tell(args: Any) -> int:
    """Print the rows. 1 if something that is switched on is not available."""
    parts = parts_of(args)
    rows = [row for look in _LOOKS for row in look(parts)]
    if args.json:
        print_json(rows)
    else:
        print_table(["feature", "status", "why"], ([row.name, row.status, row.reason] for row in rows))
    return int(any(row.status == "unavailable" and row.name in _wanted(parts) for row in rows))


def _wanted(parts: Assembly) -> Iterator[str]:
    """What must hold, as it is set."""
    sandbox = parts.settings.sandbox
    if sandbox.mode == "require":
        yield "sandbox"
    if sandbox.preview:
        yield "overlay preview"


def _when(name: str, wanted: bool, lacks: str, on: str, off: str) -> Feature:
    if lacks:
        return Feature(name, "unavailable", lacks)
    return Feature(name, "active", on) if wanted else Feature(name, "available", off)


def _models(parts: Assembly) -> Iterator[Feature]:
    settings = parts.settings
    try:
        choice = anyio.run(parts.choice)
        yield Feature("model", "active", f"{choice.service}/{choice.model_id}: {choice.reason}")
    except CodiError as missing:
        yield Feature("model", "unavailable", f"{missing}; {missing.hint}")
    named = len(settings.models) + len(settings.tasks)
    yield _when(
        "model map", bool(named), "", f"{named} models and tasks are named", "name models in [models] and [tasks]"
    )
    yield _when("pipelines", bool(settings.pipelines), "", ", ".join(settings.pipelines), "describe one in [pipelines]")
    yield _when(
        "fallback models", bool(settings.fallbacks), "", ", ".join(settings.fallbacks), "name some in [fallbacks]"
    )
    yield Feature("demo without a key", "available", "codi demo")


def _policy(parts: Assembly) -> Iterator[Feature]:
    settings = parts.settings
    why = (
        ""
        if tree_of(b"ls") is not None
        else "tree-sitter and tree-sitter-bash are not installed: every command is asked about"
    )
    yield _when("shell analysis", True, why, "commands are parsed by tree-sitter-bash", "")
    yield Feature("approvals and rules", "active", f"mode {settings.permission_mode}")
    reviewer = settings.policy.reviewer.model
    yield _when("second opinion", bool(reviewer), "", f"by {reviewer}", "name a model in policy.reviewer.model")
    yield Feature(
        "workspace trust", "active", "pinned to content" + ("" if settings.trust.ask else "; nobody is asked")
    )


def _sandbox(parts: Assembly) -> Iterator[Feature]:
    sandbox = parts.sandbox()
    wanted = sandbox.settings

    async def looked() -> tuple[Any, str]:
        standing = await sandbox.standing()
        return standing, await sandbox.preview_problem() or ""

    try:
        standing, no_overlay = anyio.run(looked)
    finally:
        sandbox.close()
    below = f"{standing.why_not}. {standing.cure}" if standing.level < 2 else ""
    switched_off = wanted.mode == "off"
    yield _when("sandbox", not switched_off, "" if switched_off else below, standing.words, f"{standing.why_not}")
    lacks = "the sandbox is switched off" if switched_off else no_overlay
    yield _when("overlay preview", wanted.preview, lacks, "changes are shown before they are true", "sandbox.preview")
    lacks = (
        ""
        if standing.route == "own launcher"
        else f"it needs level 3 by codi's own launcher, and here is {standing.words}"
    )
    yield _when(
        "network by an allow-list", wanted.network == "proxy", lacks, ", ".join(wanted.hosts), "sandbox.network = proxy"
    )


def _secrets(parts: Assembly) -> Iterator[Feature]:
    vault = parts.settings.secrets.vault
    yield _when("secret vault", vault == "on", "", "secrets never reach a model", f"secrets.vault is {vault}")
    try:
        KeyRing().probe()
        yield Feature("key ring", "active", "keys are kept in it")
    except NoRing as missing:
        yield Feature("key ring", "unavailable", f"{missing}; keys are kept in credentials.enc")
    yield Feature("encrypted credentials", "available", "codi auth login NAME")
    yield Feature("login by browser and device", "available", "codi auth login NAME; auth.providers.NAME for others")


def _record(parts: Assembly) -> Iterator[Feature]:
    settings = parts.settings
    yield _when("audit log", settings.audit.enabled, "", "every step is on record", "audit.enabled, or --audit")
    yield Feature("network ledger", "active", "codi log network")
    offline = settings.network.offline
    yield _when("offline", offline, "", "only this machine is reached", "network.offline, or --offline")
    yield _when("undo of everything", settings.undo.enabled, "", "codi undo", "undo.enabled is false")
    git = "" if which("git") else "git is not installed: the state of a repository is not kept"
    yield _when(
        "git state in undo", settings.undo.enabled, git, "refs, index and HEAD come back", "undo.enabled is false"
    )
    catalog = settings.sessions.catalog
    yield _when("full-text search of sessions", catalog, "", "codi sessions search", "sessions.catalog is false")


def _tools(parts: Assembly) -> Iterator[Feature]:
    settings = parts.settings
    yield Feature("file, shell, search and test tools", "active", f"profile {settings.tools.profile}")
    rg = "" if which("rg") else "ripgrep is not installed (apt install ripgrep); codi searches by itself"
    yield _when("ripgrep", True, rg, which("rg") or "", "")
    gate = settings.tools.syntax_gate
    yield _when("syntax gate", gate != "off", "", f"tools.syntax_gate is {gate}", "tools.syntax_gate is off")
    pillow = (
        "" if find_spec("PIL") else "Pillow is not installed (pip install 'codi[images]'): large images are refused"
    )
    yield _when("images", True, pillow, "scaled to what models take", "")
    offline = "network.offline is set" if settings.network.offline else ""
    yield _when("web pages", True, offline, "web_fetch", "")
    found = engines(os.environ, searxng_url=settings.web.searxng_url, duckduckgo=settings.web.duckduckgo)
    lacks = offline or ("" if found else "no engine is set up (web.searxng_url, web.duckduckgo or the key of one)")
    yield _when("web search", True, lacks, ", ".join(engine.name for engine in found), "")


def _later(parts: Assembly) -> Iterator[Feature]:
    for name in (
        "symbol index", "language servers", "semantic search", "MCP servers", "codi as MCP server", "editor protocol (ACP)",
        "JSON-RPC", "web server", "workers and worktrees", "hooks", "skills", "plugins", "analytics", "shared store",
    ):  # fmt: skip
        yield Feature(name, "unavailable", _LATER)


_LOOKS: Sequence[Callable[[Assembly], Iterator[Feature]]] = (
    _models, _policy, _sandbox, _secrets, _record, _tools, _later,
)  # fmt: skip
