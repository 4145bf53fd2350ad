"""Claims that files were created, changed or deleted, that something was mended, and that a commit was made."""

import re
from collections.abc import Iterator

from codi.agent.evidence.claim import Change, Claim, Found
from codi.agent.evidence.prose import TOKEN, Sentence, is_path

_COMMIT = re.compile(
    r"(?:^|\b(?:i|we|i've|we've|and|also|then|have|has|,) )(?:now |also |just |then |successfully )*(?:committed\b|(?:created|made) (?:the |an? |one |two |three |\d+ )*(?:[\w-]+ ){0,2}?commits?\b)"
    r"|\b(?:changes?|fix|fixes|work|it|everything|all|they|files?|this|that|updates?) (?:(?:is|are|was|were|has been|have been|been) )?(?:now |all |also )*committed\b(?! by\b)|\bcommit (?:has been|was|is) (?:created|made|in place)\b"
    r"|^commit(?:ted)?:? (?:⟦\d+⟧|[0-9a-f]{7,40})$"
)
_HASH = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b")


def claims_of_commits(sentence: Sentence, words: str) -> Iterator[Found]:
    for match in _COMMIT.finditer(words):
        if re.match(r" to (?:the (?:idea|plan|approach|goal)|\w+ing\b)", words[match.end() :]):
            continue
        told = [words, *(token.lower() for token in sentence.tokens)]
        named = next((found.group() for text in told if (found := _HASH.search(text))), "")
        every = re.search(r"\b(?:all|everything)\b", words[match.start() :]) is not None
        yield Found(match.start(), match.end(), (Claim(about="commit", commit=named, every=every),))


_CREATED = "created|wrote|written|generated|scaffolded"
_DELETED = "deleted|removed|erased"
_CHANGED = (
    "added|updated|modified|changed|edited|rewrote|refactored|fixed|patched|adjusted|extended|replaced|tweaked|corrected|simplified"
    r"|improved|reworked|bumped|renamed|moved|implemented|resolved|repaired|cleaned up|made (?:the|an?|these|some|all|your) (?:[\w-]+ ){0,2}(?:changes?|edits?|fix(?:es)?|modifications?|adjustments?)|introduced|extracted|converted|migrated"
)
_MENDED = frozenset({"fixed", "resolved", "implemented", "corrected", "patched", "repaired"})
_VERB = rf"(?P<verb>{_CREATED}|{_DELETED}|{_CHANGED})"
_ACTOR = r"(?:^|(?:^|[^\w'])(?:i|we|i've|we've|i have|we have|have) (?:now |also |just |then |successfully |finally |already )*|(?:,|\band|:|\)|\|) (?:i |then |also |now )*)"
_DID = re.compile(rf"{_ACTOR}(?:successfully |also |now |then )?{_VERB}\b")
_WAS_DONE = re.compile(
    rf"(?P<what>[^,;:]*?)\b(?:is|are|was|were|has been|have been)(?: now| successfully| also| fully| all| just)* {_VERB}\b"
)
_NEW_FILE = re.compile(rf"\bnew files?: {TOKEN}")
_PLACE = re.compile(rf" (?:at|in|as|to|under|:) (?:the file )?{TOKEN}")
_MENDED_IT = re.compile(r"^(?:the )?(?:bugs?|issues?|errors?|typos?|crash|problems?) (?:fixed|resolved)$")
_HEADING = re.compile(rf"{TOKEN}(?: \([^)]*\))?(?: -| –|:| \|)")
_INSIDE = re.compile(r"\b(?:in|to|inside|tests?|config|documentation)\b")
_LINK = r"(?:,? and |, | & |,? plus )"
_LIST = re.compile(rf"{TOKEN}(?:{_LINK}(?:the )?(?:files? )?{TOKEN})*")
_SUBJECTS = re.compile(rf"(?:{TOKEN}{_LINK}?)+(?:files? |module )?$")
_DIRECT = re.compile(
    r"(?: (?:the|an?|new|two|three|four|all|some|missing|obsolete|unused|old|stale|temporary|empty|file|files|module|script|both|in|to|inside|test|tests|config|its|called|named|at|under|documentation|:))*:? $"
)
_INDIRECT = re.compile(
    r"\b(?:in|to|from|of|inside|within|into|at|across|under|:) (?:the |file |files |module |both )*$"
)
_ELSEWHERE = re.compile(
    r" (?:in (?:version|v?\d|release|python|node|the (?:last|previous|next))|upstream|by (?!me\b|adding|using|changing|making)|last |previously|earlier (?:this|last)|since )"
)
_SOMETHING = re.compile(
    r" (?:the|an?|all|both|some|this|that|it|your|\d+|missing|new|two|three|support|error|handling|tests?|its|every|each|these|those|them|⟦)\b| ⟦"
)
_THING = re.compile(
    r"\b(?:bugs?|issues?|problems?|errors?|crash(?:es)?|defects?|regressions?|typos?|features?|fix|change|changes|it|this|that|leaks?|race|tests?|functions?|code|logic|parser|handler|method|class|off-by-one|vulnerabilit\w+)\s*(?:⟦\d+⟧ )?(?:in [^,;]{1,40} )?$|⟦\d+⟧ $"
)


def claims_of_changes(sentence: Sentence, words: str) -> Iterator[Found]:
    for match in _DID.finditer(words):
        if not _ELSEWHERE.match(words, match.end()):
            yield from _of_deed(sentence, words, match)
    for match in _WAS_DONE.finditer(words):
        if not _ELSEWHERE.match(words, match.end()):
            yield from _of_state(sentence, words, match)
    if mended := _MENDED_IT.match(words.strip(" .!")):
        yield Found(mended.start(), mended.end(), (Claim(about="change"),))
    for match in _NEW_FILE.finditer(words):
        if is_path(path := sentence.tokens[int(match.group(1))]):
            yield Found(match.start(), match.end(), (Claim(about="change", path=path, change="created"),))


def _of_deed(sentence: Sentence, words: str, match: re.Match[str]) -> Iterator[Found]:
    """Of what somebody did: `fixed the bug in a.py`."""
    verb, begin = match.group("verb"), match.start("verb")
    following = _DID.search(words, match.end())
    paths = list(_paths_behind(sentence, words, match.end(), following.start("verb") if following else len(words)))
    heading = _HEADING.match(words)
    named = sentence.tokens[int(heading.group(1))] if heading else ""
    if paths:
        claims = tuple(_of_path(verb, path, is_object=is_object) for path, is_object, _ in paths)
        yield Found(begin, max(end for *_, end in paths), claims)
    elif is_path(named):
        yield Found(begin, match.end(), (_of_path(verb, named, is_object=False),))
    elif _SOMETHING.match(words, match.end()) or (verb in _MENDED and not words[match.end() :].strip(" .!,")):
        yield Found(begin, match.end(), (Claim(about="change"),))


def _of_state(sentence: Sentence, words: str, match: re.Match[str]) -> Iterator[Found]:
    """Of what is said to be so now: `a.py was deleted`, `the bug is fixed`."""
    verb, what = match.group("verb"), match.group("what").strip()
    subjects = _SUBJECTS.search(what)
    named = [sentence.tokens[int(number)] for number in re.findall(TOKEN, subjects.group())] if subjects else []
    paths = [name for name in named if is_path(name)]
    place = _PLACE.match(words, match.end())
    if not paths and place and is_path(path := sentence.tokens[int(place.group(1))]):
        paths = [path] if re.search(r"\b(?:file|module|script|document|page)s?$", what) else []
    is_past = re.search(r"\b(?:was|were)\b", match.group()) is not None
    if paths:
        claims = tuple(_of_path(verb, path, is_object=True) for path in paths)
        yield Found(match.start("verb"), match.end(), claims)
    elif verb in _MENDED and _THING.search(what) and not (is_past and words[match.end() :].strip(" .,")):
        yield Found(match.start("verb"), match.end(), (Claim(about="change"),))


def _paths_behind(sentence: Sentence, words: str, at: int, stop: int) -> Iterator[tuple[str, bool, int]]:
    """Paths that a verb is about, whether they are its object and not the place of it, and where they end."""
    begin = at
    while listed := _LIST.search(words, begin, stop):
        between = words[at : listed.start()]
        is_object = _DIRECT.fullmatch(between) is not None
        if is_object or _INDIRECT.search(between):
            is_object = is_object and not _INSIDE.search(between)
            for number in re.findall(TOKEN, listed.group()):
                if is_path(path := sentence.tokens[int(number)]):
                    yield path, is_object, listed.end()
        begin = listed.end()


def _of_path(verb: str, path: str, *, is_object: bool) -> Claim:
    change: Change = "changed"
    if is_object and re.fullmatch(_CREATED, verb):
        change = "created"
    elif is_object and re.fullmatch(_DELETED, verb):
        change = "deleted"
    return Claim(about="change", path=path, change=change)
