"""Finding in an answer what it claims to have done and seen: tests that pass, builds, clean checks, files, commits.

Claims are found by pattern, in English. What is hedged, negated, asked, quoted or shown as code is none.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from codi.agent.checks import checks_in
from codi.agent.hedges import is_hedged
from codi.agent.prose import TOKEN, Sentence, Shown, blocks_of, is_path, sentences_of
from codi.agent.run_reports import counts_in, outcome_in
from codi.protocol.events import Check

About = Literal["test", "build", "lint", "types", "any", "ran", "exit", "command", "change", "commit", "cited"]
Change = Literal["created", "changed", "deleted"]


class Claim(Struct, frozen=True, kw_only=True):
    """`text` as it stands in the answer. Of runs: `every` test, so many that `passed`, `failed`, of a `total`; `exactly` where
    the numbers are of the whole run; `admits` where the sentence tells of failures too; `command` and `names` where it names
    what was run or looked at. Of changes: `change` and `path`, which is "" for some change anywhere. Of commits: `commit`."""

    text: str
    about: About
    kind: Check | None = None
    every: bool = False
    passed: int | None = None
    failed: int | None = None
    total: int | None = None
    exactly: bool = False
    admits: bool = False
    command: str = ""
    names: tuple[str, ...] = ()
    exit_code: int | None = None
    path: str = ""
    change: Change = "changed"
    commit: str = ""


def claims_in(answer: str) -> list[Claim]:
    """The claims of an answer in their order."""
    found: dict[tuple[str, str, str, str], Claim] = {}
    tests_spoken_of = False
    for block in blocks_of(answer):
        for claim in _claims_of(block, tests_spoken_of):
            found.setdefault((claim.text, claim.about, claim.path, claim.kind or ""), claim)
        tests_spoken_of = tests_spoken_of or (isinstance(block, str) and _SPEAKS_OF_TESTS.search(block) is not None)
    return list(found.values())


def _claims_of(block: str | Shown, tests_spoken_of: bool) -> Iterator[Claim]:
    if isinstance(block, Shown):
        yield from _claims_of_output(block)
        return
    if cited := _CITED.fullmatch(block.strip()):
        for id in re.findall(r"[\w.-]+", cited.group(1)):
            yield Claim(text=block.strip(), about="cited", command=id)
        return
    for sentence in sentences_of(block):
        if not sentence.is_question:
            yield from _claims_of_sentence(sentence, tests_spoken_of)
        tests_spoken_of = tests_spoken_of or _SPEAKS_OF_TESTS.search(sentence.words) is not None


_CITED = re.compile(r"Evidence:\s*((?:[\w.-]+(?:,\s*)?)+)", re.IGNORECASE)
_SPEAKS_OF_TESTS = re.compile(r"\btests?\b|\bsuite\b|pytest|unittest|\bspecs?\b", re.IGNORECASE)
_LEADS_OUTPUT = re.compile(
    r"\b(?:output|result|results|ran|reports?|reported|shows?|showed|says?|said|prints?|printed|gives?|gave|summary)\b.*:$",
    re.IGNORECASE,
)


def _claims_of_output(shown: Shown) -> Iterator[Claim]:
    """Output that the answer presents as that of a run."""
    if not _LEADS_OUTPUT.search(shown.lead) or is_hedged(shown.lead, len(shown.lead) - 1, len(shown.lead)):
        return
    counts = counts_in(shown.content)
    last = next((line.strip() for line in reversed(shown.content.splitlines()) if line.strip()), "")
    if counts.passed or counts.failed:
        yield Claim(text=last, about="test", kind="test", passed=counts.passed, failed=counts.failed, exactly=True)
    elif outcome_in("lint", shown.content) and (kinds := checks_in(shown.content.splitlines()[0].lstrip("$ "))):
        yield Claim(text=last, about=kinds[0].kind, kind=kinds[0].kind)


class _Found(Struct, frozen=True):
    begin: int
    end: int
    claims: tuple[Claim, ...]


def _claims_of_sentence(sentence: Sentence, tests_spoken_of: bool) -> Iterator[Claim]:
    words = _plain(sentence.words)
    found: list[_Found] = []
    for finder in (_tests, _others, _runs, _exits, _commits, _changes):
        for match in finder(sentence, words, tests_spoken_of):
            about = {_family(claim) for claim in match.claims}
            if any(
                match.begin < other.end and other.begin < match.end and about & {_family(each) for each in other.claims}
                for other in found
            ):
                continue
            if not is_hedged(words, match.begin, match.end):
                found.append(match)
    found.sort(key=lambda each: each.begin)
    for at, match in enumerate(found):
        begin = found[at - 1].end if at else 0
        end = match.end if at + 1 < len(found) else len(sentence.words)
        if begin >= end or begin > match.begin:
            begin, end = match.begin, match.end
        piece = re.sub(r"^[\s,;:|]*(?:and|but|so|then)?\s+|^[\s,;:|]+|[\s,;:|]+$", "", sentence.words[begin:end])
        for claim in match.claims:
            yield _with_text(claim, sentence.restored(piece))


def _family(claim: Claim) -> str:
    return "test" if claim.about == "any" else claim.about


def _with_text(claim: Claim, text: str) -> Claim:
    from msgspec.structs import replace

    return replace(claim, text=text)


_IDIOM = re.compile(
    r"\b(?:with(?:out)? (?:any |a single )?|free of )?(?:no|0|zero|without|any|free of|a single) ((?:[\w-]+ ){0,2}?)"
    r"(?:errors?|warnings?|issues?|problems?|violations?|complaints?|findings?|failures?|regressions?|offenses?|failing tests?|failed tests?|failing)\b"
    r"(?: (?:were |was |are |is )?(?:found|reported|detected|left|remaining|remain))?(?:,? (?:and|or) (?:no |0 )?(?:errors?|warnings?|failures?))?",
    re.IGNORECASE,
)


def _plain(words: str) -> str:
    """The same length, in small letters, with words such as `no lint errors` put as `clean`, for these are no negations."""

    def clean(match: re.Match[str]) -> str:
        if not re.match(r"(?:with )?(?:no|0|zero|without|free of|a single)", match.group(), re.IGNORECASE):
            return match.group()
        text = match.group()
        kind = "tests" if re.search(r"\btest|fail|regress", text) else _kind_of_words(match.group(1)) or ""
        told = f"clean_{kind}" if kind else "clean"
        return told[: len(text)].ljust(len(text))

    return _IDIOM.sub(clean, words.lower().replace("’", "'"))


def _kind_of_words(words: str) -> str:
    if re.search(r"lint|style|ruff|eslint|flake8|clippy|pylint|format", words):
        return "lint"
    if re.search(r"\btyp|mypy|pyright|tsc", words):
        return "types"
    return "build" if re.search(r"build|compil", words) else ""


_NUMBERS = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"],
        range(1, 21),
    )
)  # fmt: skip
_NUMBER = rf"(?:\d[\d,]*|{'|'.join(_NUMBERS)})"
_AUX = (
    r"(?:(?:now|all|also|still|both|again|currently|already|have|has|had|are|is|was|were|been|do|did|continues? to|completed?"
    r"|finish(?:ed|es)?|ran|run|runs|came|come|comes|back|fully|just|then|each) )"
)
_PASS = (
    r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|green|successful(?:ly)?|ok|okay|clean(?:ly)?(?:_\w+)?|fine|✅|✔|✓)"
    r"(?! (?:(?:an?|the|it|its|them|through|along|this|that|these|those|data|arguments?|parameters?|values?|down|over|control)\b|⟦))(?![\w-])"
)
_ADJECTIVES = r"(?:(?!(?:and|but|or|so|then|that|which|if|i|we|they|it|is|are|was|were|has|have|not|no|to|of|all|the|a|an|with)\b)[a-z][\w-]* ){0,4}?"
_WHERE = r"(?: (?:in|for|of|under|from|with|at|on) [^,;:]{1,60}?)?"
_TEST_NOUN = r"(?:tests?(?: suites?| cases?| runs?| files?| class(?:es)?)?|suites?|specs?|test_\w+|testsuite|pytest|unittests?|doctests?|checks)"
_TESTS = re.compile(
    rf"\b(?P<all>(?:all|every|each|both|the|my|our|its|these|those|of) )*(?:(?P<number>{_NUMBER})(?:(?: of | out of |/)(?:the )?(?P<total>{_NUMBER}))? )?"
    rf"(?P<adjectives>{_ADJECTIVES})(?P<noun>{_TEST_NOUN}){_WHERE}(?: \(⟦\d+⟧\))?(?: -| –|:|,? which| that| \|)? {_AUX}{{0,5}}{_PASS}"
)
_COUNTED = re.compile(
    rf"\b(?P<number>{_NUMBER})(?:(?: of | out of |/| / )(?:the )?(?P<total>{_NUMBER}))? (?:{_ADJECTIVES}tests? )?{_AUX}{{0,3}}(?:pass(?:es|ed|ing)?|green)\b(?! (?:(?:an?|the|it)\b|⟦))"
)
_LABELLED = re.compile(rf"\b(?:pass(?:ed|ing)?):? (?P<number>{_NUMBER})\b(?!\.)")
_ANAPHORA = re.compile(
    rf"\b(?:they|these|those|both|all(?: of (?:them|these|those))?|all {_NUMBER}(?: of (?:them|these|those))?) {_AUX}{{0,4}}{_PASS}"
)
_EVERYTHING = re.compile(
    rf"\b(?:everything|all checks?|all (?:the )?checks|the checks|all of it|all) {_AUX}{{0,4}}(?:{_PASS}|checks out)"
)
_NO_FAILURE = re.compile(
    r"\bclean_tests\b|\bnothing (?:fails|failed|is failing|is broken|broke)\b|\b100 ?% (?:of (?:the )?)?(?:tests )?pass\w*"
)
_PASSES_TESTS = re.compile(
    rf"\b(?:pass(?:es|ed)) (?:(?P<all>all|every|the|its|our) )*(?:(?P<number>{_NUMBER}) (?:of the )?)?(?P<adjectives>{_ADJECTIVES})(?:tests?|suite|test suite|pytest)\b"
)


def _tests(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    admits = re.search(r"\b(?:fail(?:s|ed|ing|ures?)?|error(?:s|ed)|broken|red|skipped)\b", words) is not None
    failed = re.search(rf"\b({_NUMBER}) (?:tests? )?(?:fail\w*|errors?)\b", words)
    inside = tuple(token for token in sentence.tokens if token)

    def found(match: re.Match[str], about: About = "test") -> _Found:
        groups = match.groupdict()
        adjectives = f"{groups.get('adjectives') or ''} {words[max(0, match.start() - 20) : match.start()] if about == 'any' else ''}"
        narrow = re.search(
            r"\b(?:new|added|these|those|related|relevant|affected|updated|my|first|last|remaining|other|parser)\b",
            words[: match.end()][match.start() :],
        )
        named = tuple(inside[int(number)] for number in re.findall(TOKEN, match.group()) if int(number) < len(inside))
        every = (
            not narrow
            and not named
            and re.search(
                r"\b(?:all|every|each|entire|full|whole|complete|everything|nothing|100 ?%|clean_tests)\b",
                match.group(),
            )
        )
        number, total = _value(groups.get("number")), _value(groups.get("total"))
        exactly = (
            not narrow
            and not named
            and re.fullmatch(r"\s*(?:(?:unit|existing|python|automated|project) ?)*\s*", adjectives) is not None
        )
        return _Found(
            match.start(),
            match.end(),
            (
                Claim(
                    text="",
                    about=about,
                    kind="test",
                    every=bool(every),
                    passed=number,
                    total=total,
                    failed=_value(failed.group(1)) if failed and number is not None else None,
                    exactly=exactly,
                    admits=admits,
                    names=named,
                ),
            ),
        )

    for match in _TESTS.finditer(words):
        yield found(match, "any" if match.group("noun") == "checks" else "test")
    for pattern in (_PASSES_TESTS, _COUNTED, _NO_FAILURE):
        for match in pattern.finditer(words):
            yield found(match)
    for match in _LABELLED.finditer(words):
        if _SPEAKS_OF_TESTS.search(words):
            yield found(match)
    if tests_spoken_of or _SPEAKS_OF_TESTS.search(words):
        for match in _ANAPHORA.finditer(words):
            number = re.search(rf"all ({_NUMBER})", match.group())
            claim = found(match).claims[0]
            yield _Found(match.start(), match.end(), (_numbered(claim, _value(number and number.group(1))),))
    for match in _EVERYTHING.finditer(words):
        yield found(match, "any")
    for match in re.finditer(TOKEN, words):
        content = sentence.tokens[int(match.group(1))]
        counts = counts_in(content)
        if counts.passed is not None and (counts.passed or counts.failed):
            claim = Claim(text="", about="test", kind="test", passed=counts.passed, failed=counts.failed, exactly=True)
            yield _Found(match.start(), match.end(), (claim,))


def _numbered(claim: Claim, number: int | None) -> Claim:
    from msgspec.structs import replace

    return claim if number is None else replace(claim, passed=number, exactly=True)


def _value(text: str | None) -> int | None:
    if not text:
        return None
    return _NUMBERS.get(text) or int(text.replace(",", ""))


_REPORTS = r"(?:(?:reports?|reported|says?|shows?|showed|found|finds?|gives?|gave|exits?|exited|has|had|with|returns?|returned|produces?|produced|raises?|raised) )"
_BUILD = re.compile(
    rf"\b(?:builds?|compilation)\b{_WHERE}(?: -| –|:| \|)? {_AUX}{{0,4}}{_REPORTS}?(?:{_PASS}|works\b|work\b|completes?\b|completed\b)"
    rf"|\b(?:project|code|codebase|app|application|package|crate|module|binary|library|everything|it|all|solution|site|bundle|program|which|image|extension|plugin)"
    rf" {_AUX}{{0,3}}(?:builds|compiles|built|compiled)\b(?! (?:(?:on|upon|an?|the|its|up|into|from|to|down|by|with|in|for|as)\b|⟦))"
    rf"|\b(?:builds|compiles|built|compiled) {_AUX}{{0,2}}(?:successfully|clean(?:ly)?|fine|ok|correctly|again)\b|\bclean_build\b"
)  # fmt: skip
_LINT_NOUN = (
    r"(?:lint(?:er|ers|ing|s)?|ruff|eslint|flake8|pylint|clippy|cargo clippy|black|prettier|isort|rubocop|golangci-lint|go vet|biome|stylelint"
    r"|shellcheck|formatter|formatting|style(?: check(?:s|er)?)?|pre-commit)"
)
_TYPES_NOUN = (
    r"(?:mypy|pyright|basedpyright|tsc|type[ -]?check(?:s|er|ers|ing)?|types|typing|typescript|static analysis)"
)


def _of_noun(noun: str, kind: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b{noun}(?: checks?| run| errors?)?{_WHERE}(?: -| –|:| \|)? {_AUX}{{0,4}}{_REPORTS}?{_AUX}{{0,2}}(?:{_PASS}|happy\b|nothing\b|satisfied\b|0\b|zero\b)"
        rf"|\bpass(?:es|ed|ing)? (?:the |all |our |its )*{noun}\b|\b{noun}-(?:clean|free)\b|\bclean_{kind}\b|\bclean {noun}\b"
        + (
            r"|\blint(?:s|ed) clean(?:ly)?\b"
            if kind == "lint"
            else r"|\b(?:code|project|it|everything|all|which) (?:now |also )?type-?checks\b|\btype-?checks (?:clean(?:ly)?|fine)\b"
        )
    )


_OTHERS: dict[Check, re.Pattern[str]] = {
    "build": _BUILD,
    "lint": _of_noun(_LINT_NOUN, "lint"),
    "types": _of_noun(_TYPES_NOUN, "types"),
}
_COMMAND_WENT_WELL = re.compile(
    rf"{TOKEN}(?: command)? {_AUX}{{0,4}}{_REPORTS}?(?:(?:code|status|exit code|exit status) )*(?:{_PASS}|works\b|worked\b|happy\b|nothing\b|(?:completed|finished|exited) (?:successfully|cleanly)|0\b)"
)


def _others(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    for match in _COMMAND_WENT_WELL.finditer(words):
        command = sentence.tokens[int(match.group(1))]
        if not command or (is_path(command) and not checks_in(command)):
            continue
        kinds = checks_in(command)
        if kinds:
            claims = tuple(Claim(text="", about=check.kind, kind=check.kind, command=command) for check in kinds[:1])
        elif re.fullmatch(r"[\w./-]+(?: \S+)+|\./\S+", command):
            claims = (Claim(text="", about="command", command=command),)
        else:
            continue
        yield _Found(match.start(), match.end(), claims)
    for kind, pattern in _OTHERS.items():
        for match in pattern.finditer(words):
            yield _Found(match.start(), match.end(), (Claim(text="", about=kind, kind=kind),))


_RAN = re.compile(
    rf"(?:^|\b(?:i|we|i've|we've|also|then|and|by|after|have|having) )(?:now |also |just |then |successfully |re-)*(?:re)?(?:ran|run(?<=have run)|executed|running(?<=by running))"
    rf" (?:the |all |full |entire |whole |complete |of |our |its |again |project's |existing |unit |integration )*(?P<what>tests?(?: suite)?|suite|test suite|specs|{_LINT_NOUN}|{_TYPES_NOUN}|build|pytest|unittest|{TOKEN})"
)


def _runs(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    for match in _RAN.finditer(words):
        what = match.group("what")
        command = sentence.tokens[int(match.group(2))] if match.group(2) else ""
        if command:
            checks = checks_in(command)
            if not checks and not re.fullmatch(r"[\w./-]+(?: \S+)+|\./\S+", command):
                continue
            kind = checks[0].kind if checks else None
        else:
            kind = "test" if re.match(r"tests?|suite|specs|pytest|unittest", what) else None
            kind = kind or next((name for name in _OTHERS if _kind_of_words(what) == name), None)
        every = re.search(r"\b(?:all|full|entire|whole|complete)\b", match.group()) is not None
        claim = Claim(text="", about="ran", kind=kind, command=command, every=every and not command)
        yield _Found(match.start(), match.end(), (claim,))


_EXIT = re.compile(
    r"\b(?:exited|finished|ended|completed|returned) with (?:an? )?(?:exit )?(?:code|status)?(?: of)? ?(\d+)\b|\bexit(?:ed)?(?: with)? (?:code|status)(?: was| is| of|:| =)? (\d+)\b"
)
_RUN_SUBJECT = re.compile(
    rf"\b(?:tests?|suite|build|pytest|{_LINT_NOUN}|{_TYPES_NOUN}|command|run|script|it|they)\b|{TOKEN}"
)


def _exits(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    for match in _EXIT.finditer(words):
        subject = list(_RUN_SUBJECT.finditer(words, 0, match.start()))
        if not subject or re.match(r" (?:on|for|when|if|in case|because)\b", words[match.end() :]):
            continue
        named = [sentence.tokens[int(each.group(1))] for each in subject if each.group(1)]
        command = next((name for name in reversed(named) if name and not is_path(name)), "")
        code = int(match.group(1) or match.group(2))
        yield _Found(match.start(), match.end(), (Claim(text="", about="exit", command=command, exit_code=code),))


_COMMIT = re.compile(
    r"(?:^|\b(?:i|we|i've|we've|and|also|then|have|has|,) )(?:now |also |just |then |successfully )*(?:committed\b|(?:created|made) (?:the |an? |one |two |three |\d+ )*(?:[\w-]+ ){0,2}?commits?\b)"
    r"|\b(?:changes?|fix|fixes|work|it|everything|all|they|files?|this|that|updates?) (?:is|are|was|were|has been|have been|been) (?:now |all |also )*committed\b"
    r"|^commit(?:ted)?:? (?:is |was )?⟦?\b[0-9a-f]{7,40}\b"
)
_HASH = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b")


def _commits(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    for match in _COMMIT.finditer(words):
        if re.match(r" to (?:the (?:idea|plan|approach|goal)|\w+ing\b)", words[match.end() :]):
            continue
        told = [words, *(token.lower() for token in sentence.tokens)]
        named = next((found.group() for text in told if (found := _HASH.search(text))), "")
        every = re.search(r"\b(?:all|everything)\b", words[match.start() :]) is not None
        yield _Found(match.start(), match.end(), (Claim(text="", about="commit", commit=named, every=every),))


_CREATED = "created|wrote|generated|scaffolded"
_DELETED = "deleted|removed|erased"
_CHANGED = (
    "added|updated|modified|changed|edited|rewrote|refactored|fixed|patched|adjusted|extended|replaced|tweaked|corrected|simplified"
    "|improved|reworked|bumped|renamed|moved|implemented|resolved|repaired|cleaned up|introduced|extracted|converted|migrated"
)
_MENDED = frozenset({"fixed", "resolved", "implemented", "corrected", "patched", "repaired"})
_VERB = rf"(?P<verb>{_CREATED}|{_DELETED}|{_CHANGED})"
_ACTOR = r"(?:^|(?:^|[^\w'])(?:i|we|i've|we've|i have|we have|have) (?:now |also |just |then |successfully |finally |already )*|(?:,|\band|:|\)|\|) (?:i |then |also |now )*)"
_DID = re.compile(rf"{_ACTOR}(?:successfully |also |now |then )?{_VERB}\b")
_WAS_DONE = re.compile(
    rf"(?P<what>[^,;:]*?)\b(?:is|are|was|were|has been|have been)(?: now| successfully| also| fully| all| just)* {_VERB}\b"
)
_LINK = r"(?:,? and |, | & |,? plus )"
_LIST = re.compile(rf"{TOKEN}(?:{_LINK}(?:the )?(?:files? )?{TOKEN})*")
_DIRECT = re.compile(
    r"(?: (?:the|an?|new|two|three|four|all|some|missing|obsolete|unused|old|stale|temporary|empty|file|files|module|script|both|in|to|inside|test|tests|config|its|called|named|at|under|documentation|:))*:? $"
)
_INDIRECT = re.compile(
    r"\b(?:in|to|from|of|inside|within|into|at|across|under|:) (?:the |file |files |module |both )*$"
)
_ELSEWHERE = re.compile(
    r"^ (?:in (?:version|v?\d|release|python|node|the (?:last|previous|next))|upstream|by (?!me\b|adding|using|changing|making)|last |previously|earlier (?:this|last)|since )"
)
_SOMETHING = re.compile(
    r"^ (?:the|an?|all|both|some|this|that|it|your|\d+|missing|new|two|three|support|error|handling|tests?|its|every|each|these|those|them|⟦)\b|^ ⟦"
)
_THING = re.compile(
    r"\b(?:bugs?|issues?|problems?|errors?|crash(?:es)?|defects?|regressions?|typos?|features?|fix|change|changes|it|this|that|leaks?|race|tests?|functions?|code|logic|parser|handler|method|class|off-by-one|vulnerabilit\w+)\s*(?:⟦\d+⟧ )?(?:in [^,;]{1,40} )?$|⟦\d+⟧ $"
)


def _changes(sentence: Sentence, words: str, tests_spoken_of: bool) -> Iterator[_Found]:
    for match in _DID.finditer(words):
        rest = words[match.end() :]
        stop = _next_verb(words, match.end())
        if _ELSEWHERE.match(rest):
            continue
        paths = list(_paths_behind(sentence, words, match.end(), stop))
        if paths:
            verb = match.group("verb")
            claims = tuple(_of_path(verb, path, direct=direct) for path, direct, _ in paths)
            yield _Found(match.start("verb"), max(end for *_, end in paths), claims)
        elif heading := re.match(rf"{TOKEN}(?: \([^)]*\))?(?: -| –|:| \|)", words):
            path = sentence.tokens[int(heading.group(1))]
            if is_path(path):
                yield _Found(match.start("verb"), match.end(), (_of_path(match.group("verb"), path, direct=False),))
        elif _SOMETHING.match(rest):
            yield _Found(match.start("verb"), match.end(), (Claim(text="", about="change"),))
    for match in _WAS_DONE.finditer(words):
        if _ELSEWHERE.match(words[match.end() :]):
            continue
        named = [sentence.tokens[int(number)] for number in re.findall(TOKEN, match.group("what"))]
        paths_named = [name for name in named if is_path(name)]
        own = re.search(rf"(?:{TOKEN}{_LINK}?)+(?:files? |module )?$", match.group("what").strip())
        if own and paths_named:
            verb = match.group("verb")
            claims = tuple(_of_path(verb, path, direct=True) for path in paths_named)
            yield _Found(match.start(), match.end(), claims)
        elif match.group("verb") in _MENDED and _THING.search(match.group("what")):
            is_past = re.search(r"\b(?:was|were)\b", match.group()) is not None
            if not is_past or not words[match.end() :].strip(" .,"):
                yield _Found(match.start(), match.end(), (Claim(text="", about="change"),))


def _next_verb(words: str, at: int) -> int:
    following = _DID.search(words, at)
    return following.start("verb") if following else len(words)


def _paths_behind(sentence: Sentence, words: str, at: int, stop: int) -> Iterator[tuple[str, bool, int]]:
    """Paths that a verb is about, whether it is about them themselves, and where they end."""
    begin = at
    while listed := _LIST.search(words, begin, stop):
        between = words[at : listed.start()]
        direct = _DIRECT.fullmatch(between) is not None
        if direct or _INDIRECT.search(between):
            for number in re.findall(TOKEN, listed.group()):
                path = sentence.tokens[int(number)]
                if is_path(path):
                    yield (
                        path,
                        direct and not re.search(r"\b(?:in|to|inside|tests?|config|documentation)\b", between),
                        listed.end(),
                    )
        begin = listed.end()


def _of_path(verb: str, path: str, *, direct: bool) -> Claim:
    change: Change = "changed"
    if direct and re.fullmatch(_CREATED, verb):
        change = "created"
    elif direct and re.fullmatch(_DELETED, verb):
        change = "deleted"
    return Claim(text="", about="change", path=path, change=change)


def mentions_failure(answer: str) -> bool:
    """Whether an answer tells of something that fails."""
    return any(
        re.search(r"\b(?:fail(?:s|ed|ing|ures?)?|broken)\b", _plain(block)) is not None
        for block in blocks_of(answer)
        if isinstance(block, str)
    )


def texts(claims: Iterable[Claim]) -> list[str]:
    return [claim.text for claim in claims]
