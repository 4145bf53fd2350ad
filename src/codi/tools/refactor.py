"""The `refactor` tool."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated

from anyio import to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads, Writes
from codi.tools.changing import Present, Rewritten, encoded, judged, present, put
from codi.tools.diffs import diff_details
from codi.tools.entries import Entries, cannot_list, kind_found
from codi.tools.globs import PathPattern
from codi.tools.limiting import Limits
from codi.tools.substitution import PlainSearch, Search, Wanted, wanted
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.text_files import Splice, TextFile
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

SOURCES = (
    "*.{py,pyi,pyx,js,mjs,cjs,jsx,ts,mts,cts,tsx,vue,svelte,rs,go,java,kt,kts,scala,groovy,clj,cljs,c,h,cc,cpp,cxx,hh,hpp,"
    "hxx,m,mm,cs,fs,vb,swift,dart,rb,php,pl,pm,lua,r,jl,ex,exs,erl,hrl,hs,ml,mli,elm,nim,zig,v,d,pas,f90,sql,sh,bash,zsh,"
    "fish,ps1,html,htm,css,scss,sass,less,proto,graphql,tf,cmake,gradle}"
)
MOST_FILE_BYTES = 4 * 1024 * 1024
_REPORTED = 20
_LINE_CHARACTERS = 200


class Refactor(Struct, frozen=True, forbid_unknown_fields=True):
    """Search and replace in many files at once, all or none. Plain text unless `regex`; then the replacement may name groups
    as $1 or \\1. Hidden, ignored and protected files are left alone."""

    search: Annotated[str, Meta(description="Text or, with `regex`, regular expression; may span lines")]
    replace: Annotated[str, Meta(description="What is to stand there instead")]
    path: Annotated[str, Meta(description="Directory or file")] = "."
    glob: Annotated[str | None, Meta(description="Only files like this; source files if left out")] = None
    regex: bool = False
    ignore_case: bool = False
    whole_word: bool = False
    dry_run: Annotated[bool, Meta(description="Only show what would change")] = False
    max_files: Annotated[int, Meta(ge=1, le=1000, description="Refuse if more files would change")] = 50

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path) if self.dry_run else Writes(self.path)

    async def run(
        self, workspace: Workspace, *, gate: SyntaxGate, limits: Limits, guarded: Callable[[str], bool]
    ) -> ToolOutput:
        what = wanted(
            self.search,
            self.replace,
            regex=self.regex,
            ignore_case=self.ignore_case,
            whole_word=self.whole_word,
        )
        paths = await self._paths(workspace)
        allowed = [path for path in paths if not guarded(workspace.resolve(path))]
        touched = await self._touched(workspace, what, allowed)
        if not touched:
            return ToolOutput(text="No matches found")
        changes = [self._rewritten(workspace, *file) for file in touched]
        warning = judged(workspace, gate, changes)
        done = () if self.dry_run else await put(workspace, changes)
        report = f"{self._told(workspace, touched)}{warning}"
        return ToolOutput(
            text=limits.head("refactor", self, report).text,
            details={
                "files": len(touched),
                "replacements": sum(len(splices) for _, _, splices in touched),
                "diff": "\n".join(
                    f"--- {workspace.shown(file.path)}\n{diff_details(text.text, splices)['diff']}"
                    for file, text, splices in touched
                ),
            },
            changes=done,
        )

    async def _paths(self, workspace: Workspace) -> list[str]:
        if kind_found(workspace, self.path) != "directory":
            return [self.path]
        glob = PathPattern(self.glob or SOURCES)
        try:
            walk = workspace.walk(self.path, hidden=False)
            found = await to_thread.run_sync(list, walk, abandon_on_cancel=True)
        except OSError as error:
            raise cannot_list(workspace, self.path, error) from error
        entries = Entries(workspace, self.path)
        paths = []
        for path in sorted((path for path in found if glob.matches(path)), key=lambda path: path.split("/")):
            facts = entries.facts(path)
            if facts.kind == "file" and facts.link is None and facts.size <= MOST_FILE_BYTES:
                paths.append(f"{self.path.rstrip('/') or '/'}/{path}")
        return paths

    async def _touched(
        self, workspace: Workspace, what: Wanted, paths: list[str]
    ) -> list[tuple[Present, TextFile, list[Splice]]]:
        touched: list[tuple[Present, TextFile, list[Splice]]] = []
        more = 0
        async with _searching(what) as search:
            for path in paths:
                file = await self._changed(workspace, search, path)
                if file is None:
                    continue
                if len(touched) == self.max_files:
                    more += 1
                else:
                    touched.append(file)
        if more:
            raise ToolFailed(
                f"{self.max_files + more} files would change, more than max_files={self.max_files}. Nothing was written. "
                "Narrow path, glob or search, or raise max_files."
            )
        return touched

    async def _changed(
        self, workspace: Workspace, search: Search, path: str
    ) -> tuple[Present, TextFile, list[Splice]] | None:
        try:
            file = await present(workspace, path)
        except FileNotFoundError:
            return None
        text = file.text
        if not isinstance(text, TextFile):
            return None
        splices = await search.splices(text.text, workspace.shown(path))
        changing = [splice for splice in splices if text.text[splice.start : splice.end] != splice.text]
        return (file, text, changing) if changing else None

    def _rewritten(self, workspace: Workspace, file: Present, text: TextFile, splices: list[Splice]) -> Rewritten:
        new = text.spliced(splices)
        return Rewritten(path=file.path, old=file, content=encoded(workspace, file.path, new), text=new.text)

    def _told(self, workspace: Workspace, touched: list[tuple[Present, TextFile, list[Splice]]]) -> str:
        total = sum(len(splices) for _, _, splices in touched)
        places = f"{total} occurrence{'s' * (total != 1)} in {len(touched)} file{'s' * (len(touched) != 1)}"
        lines = [f"Would replace {places}; nothing was written." if self.dry_run else f"Replaced {places}."]
        for file, text, splices in touched[:_REPORTED]:
            lines.append(f"{workspace.shown(file.path)}: {len(splices)}")
            lines += _preview(text.text, splices)
        if len(touched) > _REPORTED:
            lines.append(f"... {len(touched) - _REPORTED} more files")
        return "\n".join(lines)


def _searching(what: Wanted) -> AbstractAsyncContextManager[Search]:
    if not what.is_regex:
        return nullcontext(PlainSearch(what))
    from codi.tools.regex_search import regex_search  # brings `subprocess`, for those few who replace by pattern

    return regex_search(what)


def _preview(text: str, splices: list[Splice]) -> Iterable[str]:
    """The first line that changes, before and after."""
    splice = splices[0]
    number = text.count("\n", 0, splice.start) + 1
    start = text.rfind("\n", 0, splice.start) + 1
    end = text.find("\n", splice.start)
    end = len(text) if end < 0 else end
    line = new = text[start:end]
    for one in reversed([one for one in splices if one.start <= end]):
        new = new[: one.start - start] + one.text + (text[one.end : end] if one.end > end else new[one.end - start :])
    yield f"  -{number} {line[:_LINE_CHARACTERS]}"
    yield f"  +{number} {new.partition(chr(10))[0][:_LINE_CHARACTERS]}"
