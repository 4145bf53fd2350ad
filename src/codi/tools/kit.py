"""The tools that ship with codi."""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module

from msgspec import Struct

from codi.protocol.events import TodoItem
from codi.protocol.ops import Reply
from codi.tools.ask_person import AskPerson
from codi.tools.context_status import ContextFacts
from codi.tools.deferred import DeferredTool, struct_tool, told
from codi.tools.limiting import Limits
from codi.tools.page_cache import PageCache
from codi.tools.project import Project, Unseen
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import Tool


class Live(Struct, frozen=True):
    """What a session knows and can do by itself: its todo list, what fills its context, and asking the person; None where nobody
    can answer; `remember` keeps a fact for later sessions."""

    todos: Callable[[], Sequence[TodoItem]] = tuple
    facts: Callable[[], ContextFacts] = ContextFacts
    ask: Callable[[AskPerson], Awaitable[Reply]] | None = None
    remember: Callable[[str], str] | None = None


NO_PROJECT = Unseen()
NO_SESSION = Live()


def built_in(
    *,
    limits: Limits,
    gate: SyntaxGate,
    ripgrep: str | None,
    project: Project = NO_PROJECT,
    live: Live = NO_SESSION,
    timeout_s: int = 120,
    sees: bool = True,
    search: Tool | None = None,
    pages: PageCache | None = None,
    own: Sequence[str] = (),
    guarded: Callable[[str], bool] = lambda path: False,
) -> list[Tool]:
    """All of them, for one session. `ripgrep` is the program, if there is one;
    `project` is what can be seen before anything runs;
    commands end after `timeout_s` unless the model gives them another limit; `sees` says whether the model can look at
    images; `search` is there when an engine is set up; `pages` keeps what was fetched; `own` are codi's own folders; `guarded` says
    of a real path whether it is protected or holds secrets."""
    limited = {"limits": limits}
    gated = {"gate": gate}
    blind = {"gate": SyntaxGate("off")}  # which change was sent back once is for the call itself to know
    return [
        struct_tool("read", {**limited, "sees": sees}),
        struct_tool("write", gated, rehearsal=blind),
        struct_tool("edit", gated, rehearsal=blind),
        struct_tool("apply_patch", gated, rehearsal=blind),
        struct_tool("insert_lines", {**gated, **limited}, rehearsal=blind),
        struct_tool("replace_lines", {**gated, **limited}, rehearsal=blind),
        struct_tool("delete_lines", {**gated, **limited}, rehearsal=blind),
        struct_tool("refactor", {**gated, **limited, "guarded": guarded}, rehearsal=blind),
        DeferredTool(told("shell", timeout_s=timeout_s), lambda: _shell(limits, timeout_s)),
        DeferredTool(told("run_tests"), lambda: _tests(project, limits)),
        struct_tool("grep", {"limits": limits, "ripgrep": ripgrep}),
        struct_tool("glob", limited),
        struct_tool("list", limited),
        struct_tool("tree", limited),
        struct_tool("move", {"own": own}, rehearsal={}),
        struct_tool("delete", {"own": own}, rehearsal={}),
        struct_tool("web_fetch", {**limited, "pages": pages}),
        *([search] if search else []),
        *([struct_tool("view_image")] if sees else []),
        struct_tool("recall", {**limited, "remember": live.remember}),
        struct_tool("todo", {"items": live.todos}),
        *([struct_tool("ask_person", {"ask": live.ask})] if live.ask else []),
        struct_tool("context_status", {**limited, "facts": live.facts}),
    ]


def _shell(limits: Limits, timeout_s: int) -> Tool:
    tool: Tool = import_module("codi.tools.shell").ShellTool(limits, timeout_s)
    return tool


def _tests(project: Project, limits: Limits) -> Tool:
    tool: Tool = import_module("codi.tools.run_tests").RunTestsTool(project, limits)
    return tool
