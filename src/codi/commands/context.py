"""What fills the context, making it shorter, holding things in it, and what outlives it."""

from collections.abc import Sequence

from codi.commands import context_words
from codi.commands.command import Desk, Fail, Outcome, Running, Show
from codi.commands.registry import ASKED
from codi.protocol.errors import UsageError
from codi.protocol.events import AnswerDelta, CompactionDelta, ContextDelta, Event, StatusDelta
from codi.protocol.ops import Forget


def _command(name: str, title: str) -> Running:
    async def run(words: Sequence[str], desk: Desk) -> Outcome:
        try:
            op = context_words.op_of(name, words)
        except UsageError as error:
            return Fail(str(error), error.hint)
        return _told(await desk.answer(op), title)

    return run


show: Running = _command("context", "context")
_compacted: Running = _command("compact", "compaction")


async def compact(words: Sequence[str], desk: Desk) -> Outcome:
    """A preview can be gone on with; all else is done at once."""
    told = await _compacted(words, desk)
    if list(words[:1]) != ["preview"] or not isinstance(told, Show):
        return told
    return Show(told.text, "compaction, a preview", then=lambda: _compacted(words[1:], desk))


clear: Running = _command("clear", "context")
pin: Running = _command("pin", "files")
unpin: Running = _command("unpin", "files")
files: Running = _command("files", "files")
window: Running = _command("context-max", "context")
_remember: Running = _command("remember", "memories")


async def remember(words: Sequence[str], desk: Desk) -> Outcome:
    """Of what was typed as `#text` the first says for whom such facts are kept."""
    if ASKED not in words:
        return await _remember(words, desk)
    said = [word for word in words if word != ASKED]
    if not {"--project", "--user"} & set(said):
        if desk.keeps_for is None:
            alone = await desk.confirm(
                "Remember such facts for this project alone? No keeps them for you, in all projects."
            )
            desk.keeps_for = "--project" if alone else "--user"
        said.append(desk.keeps_for)
    return await _remember(said, desk)


_memories: Running = _command("memories", "memories")
profile: Running = _command("profile", "profile")


async def forget(words: Sequence[str], desk: Desk) -> Outcome:
    """List what would be forgotten, ask, and do it."""
    if not words:
        return Fail("usage: /forget ID|PATTERN", "/memories lists what is remembered.")
    pattern = " ".join(words)
    found = await desk.answer(Forget(pattern))
    if not isinstance(found, AnswerDelta) or not found.ok:
        return _told(found, "memories")
    if not await desk.confirm(f"Forget this?\n{found.text}"):
        return Show("nothing was forgotten")
    return _told(await desk.answer(Forget(pattern, sure=True)), "memories")


async def memories(words: Sequence[str], desk: Desk) -> Outcome:
    """What is remembered; or what a model proposes, each of it asked about alone."""
    if tuple(words) != ("consolidate",):
        return await _memories(words, desk)
    return _told(await context_words.proposals_kept(desk.answer, desk.confirm), "memories")


def _told(event: Event, title: str) -> Outcome:
    match event:
        case AnswerDelta(text, ok, hint):
            return Show(f"{text}\n{hint}".rstrip(), title) if ok else Fail(text, hint)
        case ContextDelta():
            return Show("\n".join(context_words.context_in_words(event)), title)
        case CompactionDelta():
            return Show("\n".join(context_words.compaction_in_words(event)), title)
        case StatusDelta(text=text, hint=hint):
            return Fail(text, hint or "")
    return Fail(f"codi answered with a {type(event).__name__}")
