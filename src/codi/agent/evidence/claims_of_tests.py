"""Claims that tests pass, all of them or so many."""

import re
from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from codi.agent.evidence.claim import About, Claim, Found
from codi.agent.evidence.claim_words import AUX, LINKED, NUMBER, PASS, WHERE, number_of
from codi.agent.evidence.prose import TOKEN, Sentence
from codi.agent.evidence.run_reports import counts_in

_NOT_ADJECTIVES = (
    "and|but|or|so|then|that|which|if|i|we|they|it|is|are|was|were|has|have|not|no|to|of|all|the|a|an|with"
)
_ADJECTIVES = rf"(?P<adjectives>(?:(?!(?:{_NOT_ADJECTIVES})\b)[a-z][\w-]* ){{0,4}}?)"
_NOUN = (
    r"(?P<noun>tests?(?: suites?| cases?| runs?| files?| class(?:es)?| results?| status)?|suites?|specs?|test_\w+|testsuite|pytest"
    r"|unittests?|doctests?|assertions|checks)"
)
_SOME = rf"(?:(?P<number>{NUMBER})(?:(?: of | out of |/)(?:the )?(?P<total>{NUMBER}))? )?"
_PASSING = r"(?:pass(?:es|ed|ing)?|green)\b(?! (?:(?:an?|the|it)\b|⟦))"

_LABELLED = re.compile(rf"\b(?:tests? )?pass(?:ed|ing)?: ?(?P<number>{NUMBER})\b(?!\.)")
_TESTS = re.compile(
    rf"\b(?:(?:all|every|each|both|the|my|our|its|these|those|of) )*{_SOME}{_ADJECTIVES}{_NOUN}{WHERE}(?: \([^()]*\))?"
    rf"{LINKED} {AUX}{{0,5}}(?:reports? |reported |came out |were run )?{AUX}{{0,2}}{PASS}"
)
_PASSES_TESTS = re.compile(
    rf"\bpass(?:es|ed) (?:(?:all|every|the|its|our) )*(?:(?P<number>{NUMBER}) (?:of the )?)?{_ADJECTIVES}(?:tests?|suite|test suite)\b"
)
_COUNTED = re.compile(
    rf"\b(?P<number>{NUMBER})(?:(?: of | out of |/| / )(?:the )?(?P<total>{NUMBER}))? (?:{_ADJECTIVES}tests? )?{AUX}{{0,3}}{_PASSING}"
)
_NO_FAILURE = re.compile(
    r"\bclean_tests\b|\bnothing (?:fails|failed|is failing|is broken|broke)\b|\btests? no longer fails?\b"
    r"|\b(?:no|none of the) (?:\w+ )?tests? (?:were |are |was |is )?(?:broken|fail(?:s|ed|ing)?)\b"
)
_WHOLE = r"all(?: of (?:them|these|those))?"
_ANAPHORA = re.compile(
    rf"\b(?:they|these|those|both|{_WHOLE}|all (?P<number>{NUMBER})(?: of (?:them|these|those))?) {AUX}{{0,4}}{PASS}"
)
_EVERYTHING = re.compile(
    rf"\b(?:everything|all (?:the )?checks?|the checks|all of it) {AUX}{{0,4}}(?:{PASS}|checks out)"
)

_IN_BRACKETS = re.compile(
    rf" ?\((?:all )?(?P<number>{NUMBER})(?:(?:/| of )(?P<total>{NUMBER}))?(?: tests?)?(?: passed)?[),]"
)
_NARROW = re.compile(
    r"\b(?:new|added|these|those|related|relevant|affected|updated|my|first|last|remaining|other|both)\b"
)
_EVERY = re.compile(
    r"\b(?:all|every|each|entire|full|whole|complete|completely|everything|nothing|no|none|100 ?%|clean_tests|in full)(?!\w)"
)
_PLAIN_ADJECTIVES = re.compile(r"(?:(?:unit|existing|automated|project|python|the) )*")
_MENDED_ONES = re.compile(r"\b(?:previously |formerly |once )?(?:failing|broken|failed) tests?\b|\bno longer fails?\b")
_ADMITS = re.compile(r"\b(?:fail(?:s|ed|ing|ures?)?|errors?|errored|broken|red|skipped|skips)\b")
_FAILED = re.compile(
    rf"\b(?P<failed>{NUMBER}|no|none|zero) (?:of them |tests? |have |has |were |was |are )*(?:fail\w*|errors?\b|broken\b|skipped\b)"
)
_COUNTS = re.compile(r"\b(\d+) pass(?:ed|ing)?\b(?:\D+(\d+) fail)?")
_NAMES_TEST = re.compile(
    r"(?:\S+::\S+|test_\w+(?:\.py)?|Test\w+|[\w/.-]*tests?/\S+|\S+\.(?:test|spec)\.\w+|[\w/]+_test\.\w+)(?:\(\))?"
)
_NAMED_ONE = re.compile(rf"(?:{TOKEN}(?:,? and |, )?)+ {AUX}{{0,4}}{PASS}")


def claims_of_tests(sentence: Sentence, words: str, *, spoken_of: bool) -> Iterator[Found]:
    """`words` are those of the sentence, made plain; `spoken_of`: tests were mentioned, here or before."""
    patterns = [_TESTS, _PASSES_TESTS, _COUNTED, _NO_FAILURE]
    if spoken_of:
        patterns = [_LABELLED, *patterns, _ANAPHORA]
    for match in chain.from_iterable(pattern.finditer(words) for pattern in patterns):
        is_any = match.groupdict().get("noun") == "checks"
        yield _found(sentence, words, match, "any" if is_any else "test")
    for match in _EVERYTHING.finditer(words):
        yield _found(sentence, words, match, "any")
    for match in _NAMED_ONE.finditer(words):
        if all(_NAMES_TEST.fullmatch(name) for name in _named(sentence, match.group())):
            yield _found(sentence, words, match, "test")
    for match in re.finditer(TOKEN, words):
        yield from _quoted_output(sentence.tokens[int(match.group(1))], match)


def _found(sentence: Sentence, words: str, match: re.Match[str], about: About) -> Found:
    groups, text, end = match.groupdict(), match.group(), match.end()
    counted = _IN_BRACKETS.match(words, end)
    if counted and not groups.get("number"):
        groups, end = {**groups, **counted.groupdict()}, counted.end() - 1
    names = _named(sentence, text)
    is_narrow = bool(names) or _NARROW.search(text) is not None
    around = f"{words[max(0, match.start() - 10) : match.start()]}{text}{words[end : end + 8]}"
    failed = next((each for each in _FAILED.finditer(words) if "skip" not in each.group()), None)
    number = number_of(groups.get("number"))
    claim = Claim(
        about=about,
        kind="test",
        every=not is_narrow and _EVERY.search(around) is not None,
        passed=number,
        total=number_of(groups.get("total")),
        failed=_count(failed.group("failed")) if failed and number is not None else None,
        exactly=not is_narrow and _PLAIN_ADJECTIVES.fullmatch(groups.get("adjectives") or "") is not None,
        admits=_ADMITS.search(_FAILED.sub(_without_none, _MENDED_ONES.sub("", words))) is not None,
        names=names,
    )
    if claim.total is not None and claim.total != claim.passed:
        claim = replace(claim, admits=True, every=False)
    return Found(match.start(), end, (claim,))


def _named(sentence: Sentence, words: str) -> tuple[str, ...]:
    return tuple(sentence.tokens[int(number)] for number in re.findall(TOKEN, words))


def _count(word: str) -> int | None:
    return 0 if word in ("no", "none", "zero", "0") else number_of(word)


def _without_none(match: re.Match[str]) -> str:
    return "" if _count(match.group("failed")) == 0 else match.group()


def _quoted_output(quoted: str, match: re.Match[str]) -> Iterator[Found]:
    told = _COUNTS.search(quoted)
    if told is None:
        return
    counts = counts_in(quoted)
    passed = counts.passed if counts.passed is not None else int(told.group(1))
    failed = counts.failed if counts.failed is not None else int(told.group(2) or 0)
    claim = Claim(about="test", kind="test", passed=passed, failed=failed, exactly=True)
    yield Found(match.start(), match.end(), (claim,))
