"""The words of the commands about context and memory: what they ask for, and how what is told of it reads."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from codi.protocol.errors import UsageError
from codi.protocol.events import AnswerDelta, CompactionDelta, ContextDelta, Event
from codi.protocol.ops import (
    ChooseWindow,
    ClearContext,
    Compact,
    EditMemory,
    Forget,
    Op,
    Pin,
    ProposeMemories,
    Remember,
    SetCompaction,
    SetProfile,
    ShowCompaction,
    ShowContext,
    ShowFiles,
    ShowMemories,
    Uncompact,
)

_BAR = 40
_FLAGS = ("--llm", "--mechanical", "--force")


class Unclear(UsageError):
    """These words mean nothing to the command."""

    def __init__(self, name: str) -> None:
        super().__init__(f"/{name} does not take these words", hint=f"/help {name} says how it is written.")


def op_of(name: str, words: Sequence[str]) -> Op:
    """What a command asks for. Raises UsageError."""
    match name, tuple(words):
        case "context", ():
            return ShowContext()
        case "compact", _:
            return _compact(words)
        case "clear", () | ("context",):
            return ClearContext()
        case (("pin" | "open"), (target,)):
            return Pin(target)
        case (("unpin" | "close"), (target,)):
            return Pin(target, pinned=False)
        case (("files" | "open" | "close" | "pin" | "unpin"), ()):
            return ShowFiles()
        case "context-max", (tokens,) if tokens.isdecimal():
            return ChooseWindow(int(tokens))
        case "remember", (_, *_):
            return _remember(words)
        case "forget", (_, *_):
            return Forget(" ".join(words))
        case "memories", ("edit", id, _, *_):
            return EditMemory(id, " ".join(words[2:]))
        case "memories", ("consolidate",):
            return ProposeMemories()
        case "memories", _:
            return ShowMemories(" ".join(words))
        case "profile", ():
            return SetProfile()
        case "profile", ("set", key, _, *_):
            return SetProfile(key, " ".join(words[2:]))
        case "profile", ("unset", key):
            return SetProfile(key)
    raise Unclear(name)


def _compact(words: Sequence[str]) -> Op:
    flags = [word for word in words if word in _FLAGS]
    rest = tuple(word for word in words if word not in _FLAGS)
    match rest:
        case ("status",):
            return ShowCompaction()
        case ("undo",):
            return Uncompact()
        case ("undo", entry):
            return Uncompact(entry)
        case ("auto", ("on" | "off") as state):
            return SetCompaction(auto=state == "on")
        case ("compress", ("on" | "off") as state):
            return SetCompaction(compress=state == "on")
    if "--llm" in flags and "--mechanical" in flags:
        raise UsageError("--llm and --mechanical contradict each other", hint="Choose one of them.")
    preview = rest[:1] == ("preview",)
    return Compact(
        instructions=" ".join(rest[1:] if preview else rest),
        how="llm" if "--llm" in flags else "mechanical" if "--mechanical" in flags else "auto",
        force="--force" in flags,
        preview=preview,
    )


def _remember(words: Sequence[str]) -> Op:
    rest = [word for word in words if word not in ("--project", "--user")]
    category = ""
    if rest and rest[0].endswith(":") and len(rest[0]) > 1:
        category, rest = rest[0][:-1], rest[1:]
    return Remember(" ".join(rest), category, "project" if "--project" in words else "user")


async def proposals_kept(answer: Callable[[Op], Awaitable[Event]], confirm: Callable[[str], Awaitable[bool]]) -> Event:
    """Have facts of the conversation proposed, and keep those to which the person says yes, one by one."""
    proposed = await answer(ProposeMemories())
    if not isinstance(proposed, AnswerDelta) or not proposed.ok:
        return proposed
    if not proposed.text:
        return AnswerDelta("nothing of this conversation is proposed")
    told = []
    for line in proposed.text.splitlines():
        if not await confirm(f"Remember this?\n{line}"):
            continue
        category, _, fact = line.partition(": ")
        kept = await answer(Remember(fact, category, "project"))
        if isinstance(kept, AnswerDelta) and not kept.ok:  # a project that is not trusted keeps none
            kept = await answer(Remember(fact, category, "user"))
        if isinstance(kept, AnswerDelta):
            told.append(kept.text)
    return AnswerDelta("\n".join(told) or "nothing more is remembered")


def context_in_words(seen: ContextDelta) -> Iterator[str]:
    """A bar, and a table whose rows sum to what is used."""
    filled = min(_BAR, _BAR * seen.used // max(seen.window, 1))
    assumed = " (assumed)" if seen.assumed else ""
    yield f"{seen.model}: ~{seen.used} of {seen.window}{assumed} tokens, {seen.status}"
    yield f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * seen.used // max(seen.window, 1)} %"
    free = max(seen.window - seen.used - seen.reserve, 0)
    rows = [*((share.name, share.tokens) for share in seen.shares), ("used", seen.used)]
    for name, tokens in (*rows, ("free", free), ("reserve", seen.reserve)):
        yield f"{name:<16}{f'~{tokens}':>10}"
    yield f"room is made from ~{seen.threshold} on{'' if seen.auto_compact else '; automatic compaction is off'}"
    yield f"pruned {seen.pruned}, compacted {seen.compactions} times, pinned {len(seen.pinned)}"
    for pinned in seen.pinned:
        yield f"  pinned {pinned}"
    yield f"cache: {seen.cache}"
    yield "biggest:"
    for share in seen.biggest:
        yield f"  {f'~{share.tokens}':>9}  {share.name}{f', {share.note}' if share.note else ''}"


def compaction_in_words(seen: CompactionDelta) -> Iterator[str]:
    """What stays and what goes, entry by entry, and the summary that stands for it."""
    done = f"compaction {seen.id}" if seen.id else "it would be so; nothing was written"
    cost = "" if seen.cost is None else f", ${seen.cost:.4f}"
    yield f"{done} ({seen.method}): ~{seen.tokens_before} tokens -> ~{seen.tokens_after}{cost}"
    if seen.savings:
        yield f"compression of long values would save ~{seen.savings} tokens"
    for share in seen.dropped:
        yield f"- {share.name}  {f'~{share.tokens}':>7}  {share.note}"
    for share in seen.kept:
        yield f"+ {share.name}  {f'~{share.tokens}':>7}  {share.note}"
    yield ""
    yield from seen.summary.splitlines()
