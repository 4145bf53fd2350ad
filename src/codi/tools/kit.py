"""The tools that ship with codi."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from codi.protocol.events import TodoItem
from codi.protocol.ops import Reply
from codi.tools.apply_patch import ApplyPatch
from codi.tools.ask_person import AskPerson
from codi.tools.context_status import ContextFacts, ContextStatus
from codi.tools.delete import Delete
from codi.tools.delete_lines import DeleteLines
from codi.tools.edit import Edit
from codi.tools.glob import Glob
from codi.tools.grep import Grep
from codi.tools.insert_lines import InsertLines
from codi.tools.limiting import Limits
from codi.tools.list_files import ListFiles
from codi.tools.move import Move
from codi.tools.page_cache import PageCache
from codi.tools.read import Read
from codi.tools.recall import Recall
from codi.tools.refactor import Refactor
from codi.tools.replace_lines import ReplaceLines
from codi.tools.run_tests import RunTestsTool
from codi.tools.runners_of_tests import Project, Unseen
from codi.tools.shell import ShellTool
from codi.tools.struct_tool import StructTool
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.todo import Todo
from codi.tools.tool import Tool
from codi.tools.tree import Tree
from codi.tools.view_image import ViewImage
from codi.tools.web_fetch import WebFetch
from codi.tools.web_search import WebSearchTool
from codi.tools.write import Write


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
    search: WebSearchTool | None = None,
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
        StructTool(Read, needs={**limited, "sees": sees}),
        StructTool(Write, needs=gated, rehearsal=blind),
        StructTool(Edit, needs=gated, rehearsal=blind),
        StructTool(ApplyPatch, needs=gated, rehearsal=blind),
        StructTool(InsertLines, needs={**gated, **limited}, rehearsal=blind),
        StructTool(ReplaceLines, needs={**gated, **limited}, rehearsal=blind),
        StructTool(DeleteLines, needs={**gated, **limited}, rehearsal=blind),
        StructTool(Refactor, needs={**gated, **limited, "guarded": guarded}, rehearsal=blind),
        ShellTool(limits, timeout_s),
        RunTestsTool(project, limits),
        StructTool(Grep, needs={"limits": limits, "ripgrep": ripgrep}),
        StructTool(Glob, needs=limited),
        StructTool(ListFiles, name="list", needs=limited),
        StructTool(Tree, needs=limited),
        StructTool(Move, needs={"own": own}, rehearsal={}),
        StructTool(Delete, needs={"own": own}, rehearsal={}),
        StructTool(WebFetch, needs={**limited, "pages": pages}),
        *([search] if search else []),
        *([StructTool(ViewImage)] if sees else []),
        StructTool(Recall, needs={**limited, "remember": live.remember}),
        StructTool(Todo, needs={"items": live.todos}),
        *([StructTool(AskPerson, needs={"ask": live.ask})] if live.ask else []),
        StructTool(ContextStatus, needs={**limited, "facts": live.facts}),
    ]
