"""Claims that builds, linters, type checks and other commands went well, that they were run, and how they exited."""

import re
from collections.abc import Iterator

from codi.agent.evidence.checks import checks_in
from codi.agent.evidence.claim import Claim, Found
from codi.agent.evidence.claim_words import (
    AUX,
    LINKED,
    LINT_NOUN,
    PASS,
    REPORTS,
    TYPES_NOUN,
    WHERE,
    kind_of,
)
from codi.agent.evidence.prose import TOKEN, Sentence, is_path
from codi.protocol.events import Check

_BUILD = re.compile(
    rf"\b(?:builds?|compilation)\b{WHERE}{LINKED} {AUX}{{0,4}}{REPORTS}?(?:{PASS}|works\b|work\b|completes?\b|completed\b)"
    rf"|\b(?:project|code|codebase|app|application|package|crate|module|binary|library|everything|it|all|solution|site|bundle|program|which|image|extension|plugin)"
    rf" {AUX}{{0,3}}(?:builds|compiles|built|compiled)\b(?! (?:(?:on|upon|an?|the|its|up|into|from|to|down|by|with|in|for|as)\b|⟦))"
    rf"|\b(?:builds|compiles|built|compiled) {AUX}{{0,2}}(?:successfully|clean(?:ly)?|fine|ok|correctly|again)\b|\bclean_build\b"
    rf"|(?:^|\b(?:i|we|i've|we've|have|successfully) )(?:successfully )?(?:built|compiled) (?:the |it\b|everything\b)(?:[\w-]+ ?){{0,3}}"
)  # fmt: skip


def _of_noun(noun: str, kind: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b{noun}(?: checks?| run| errors?)?{WHERE}{LINKED} {AUX}{{0,4}}{REPORTS}?{AUX}{{0,2}}(?:{PASS}|happy\b|nothing\b|satisfied\b|0\b|zero\b)"
        rf"|\bpass(?:es|ed|ing)? (?:the |all |our |its )*{noun}\b|\b{noun}-(?:clean|free)\b|\bclean_{kind}\b|\bclean {noun}\b"
        + (
            r"|\blint(?:s|ed) clean(?:ly)?\b"
            if kind == "lint"
            else r"|\b(?:code|project|it|everything|all|which) (?:now |also )?type-?checks\b|\btype-?checks (?:clean(?:ly)?|fine)\b"
        )
    )


_CHECK_NOUN = rf"(?:(?:the |all |our )*(?:(?:unit|full|test|type) )?(?:tests?|test suite|suite|builds?|{LINT_NOUN}|{TYPES_NOUN}|{TOKEN}))"
_TOGETHER = re.compile(
    rf"\b(?:both )?(?:{_CHECK_NOUN}(?:, |,? and | & |/))+{_CHECK_NOUN} (?!is |was |has ){AUX}{{0,4}}(?:pass|passed|passing|succeed|succeeded|green|clean|fine|ok|successful)\b"
)


def claims_of_several_checks(sentence: Sentence, words: str) -> Iterator[Found]:
    """Of several checks that went well in one breath."""
    for match in _TOGETHER.finditer(words):
        claims = []
        for noun in re.split(r", (?:and )?| and | & |/", match.group()):
            token = re.search(TOKEN, noun)
            command = sentence.tokens[int(token.group(1))] if token else ""
            kind = kind_of(noun) if not command else next((check.kind for check in checks_in(command)), None)
            if kind:
                every = kind == "test" and re.search(r"\b(?:all|full)\b", noun) is not None
                claims.append(Claim(about=kind, kind=kind, command=command, every=every))
        yield Found(match.start(), match.end(), tuple(claims))


_OTHERS: dict[Check, re.Pattern[str]] = {
    "build": _BUILD,
    "lint": _of_noun(LINT_NOUN, "lint"),
    "types": _of_noun(TYPES_NOUN, "types"),
}
_COMMAND_WENT_WELL = re.compile(
    rf"{TOKEN}(?: command)? {AUX}{{0,4}}{REPORTS}?(?:(?:code|status|exit code|exit status) )*(?:{PASS}|works\b|worked\b|happy\b|nothing\b|(?:completed|finished|exited) (?:successfully|cleanly)|0\b)"
)


def _of_commands(sentence: Sentence, words: str) -> Iterator[Found]:
    for match in _COMMAND_WENT_WELL.finditer(words):
        command = sentence.tokens[int(match.group(1))]
        if check := next(iter(checks_in(command)), None):
            yield _of_kind(check.kind, match, command)
        elif _COMMAND.fullmatch(command):
            yield Found(match.start(), match.end(), (Claim(about="command", command=command),))


def _of_kind(kind: Check, match: re.Match[str], command: str = "") -> Found:
    return Found(match.start(), match.end(), (Claim(about=kind, kind=kind, command=command),))


_COMMAND = re.compile(r"[\w./-]+(?: \S+)+|\./\S+")
_RAN = re.compile(
    rf"(?:^|\b(?:i|we|i've|we've|also|then|and|by|after|have|having) )(?:now |also |just |then |successfully |re-)*(?:re)?(?:ran|run(?<=ve run)|executed|running(?<=by running))"
    rf" (?:the |all |full |entire |whole |complete |of |our |its |again |project's |existing |unit |integration )*(?P<what>tests?(?: suite)?|suite|test suite|specs|{LINT_NOUN}|{TYPES_NOUN}|build|pytest|unittest|{TOKEN})"
)


def _of_having_run(sentence: Sentence, words: str) -> Iterator[Found]:
    for match in _RAN.finditer(words):
        what = match.group("what")
        command = sentence.tokens[int(match.group(2))] if match.group(2) else ""
        check = next(iter(checks_in(command)), None)
        if command and not check and not _COMMAND.fullmatch(command):
            continue
        kind = check.kind if check else None if command else kind_of(what)
        every = re.search(r"\b(?:all|full|entire|whole|complete)\b", match.group()) is not None
        claim = Claim(about="ran", kind=kind, command=command, every=every and not command)
        yield Found(match.start(), match.end(), (claim,))


_EXIT = re.compile(
    r"\b(?:exited|finished|ended|completed|returned) with (?:an? )?(?:exit )?(?:code|status)?(?: of)? ?(\d+)\b|\bexit(?:ed)?(?: with)? (?:code|status)(?: was| is| of|:| =)? (\d+)\b"
)
_EXITS = re.compile(
    rf"\b(?:tests?|suite|pytest|build|{LINT_NOUN}|{TYPES_NOUN}) (?:now )?exits? with (?:code |status )?(\d+)\b()"
)
_RUN_SUBJECT = re.compile(
    rf"\b(?:tests?|suite|build|pytest|{LINT_NOUN}|{TYPES_NOUN}|command|run|script|it|they|the exit)\b|{TOKEN}"
)


def _of_exits(sentence: Sentence, words: str) -> Iterator[Found]:
    for match in (*_EXITS.finditer(words), *_EXIT.finditer(words)):
        subject = list(_RUN_SUBJECT.finditer(words, 0, match.end()))
        if not subject or re.match(r" (?:on|for|when|if|in case|because)\b", words[match.end() :]):
            continue
        named = [sentence.tokens[int(each.group(1))] for each in subject if each.group(1)]
        command = next((name for name in reversed(named) if name and not is_path(name)), "")
        code = int(match.group(1) or match.group(2))
        yield Found(match.start(), match.end(), (Claim(about="exit", command=command, exit_code=code),))


_ANAPHORA = re.compile(rf"\b(?:they|both|all of (?:them|these|those)|all|it) (?!builds|compiles){AUX}{{0,4}}{PASS}")


def claims_of_checks(sentence: Sentence, words: str, *, spoken_of: bool) -> Iterator[Found]:
    """`words` are those of the sentence, made plain; `spoken_of`: checks were mentioned, here or before."""
    yield from _of_commands(sentence, words)
    for kind, pattern in _OTHERS.items():
        for match in pattern.finditer(words):
            yield _of_kind(kind, match)
    yield from _of_having_run(sentence, words)
    yield from _of_exits(sentence, words)
    if spoken_of:
        for match in _ANAPHORA.finditer(words):
            yield Found(match.start(), match.end(), (Claim(about="any"),))
