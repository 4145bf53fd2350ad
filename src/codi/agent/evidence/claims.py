"""Finding in an answer what it claims to have done and seen: tests that pass, builds, clean checks, files, commits.

Claims are found by pattern, in English. What is hedged, denied, asked, quoted or shown as code is none.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from codi.agent.evidence.checks import checks_in
from codi.agent.evidence.claim import Claim, Found
from codi.agent.evidence.claim_words import SPEAKS_OF_CHECKS, SPEAKS_OF_TESTS, plain
from codi.agent.evidence.claims_of_changes import claims_of_changes, claims_of_commits
from codi.agent.evidence.claims_of_checks import claims_of_checks, claims_of_several_checks
from codi.agent.evidence.claims_of_tests import claims_of_tests
from codi.agent.evidence.hedges import is_hedged
from codi.agent.evidence.prose import TOKEN, Sentence, Shown, blocks_of, is_path, sentences_of
from codi.agent.evidence.run_reports import counts_in, outcome_in

_LONGEST = 1000
"""Characters of a sentence that are looked at. What is longer is no prose."""

_CITED = re.compile(r"Evidence:\s*((?:[\w.-]+(?:,\s*)?)+)", re.IGNORECASE)
_LEADS_OUTPUT = re.compile(
    r"\b(?:output|results?|ran|reports?|reported|shows?|showed|says?|said|prints?|printed|gives?|gave|summary)\b.*:$",
    re.IGNORECASE,
)
_FAILURE = re.compile(r"\b(?:fail(?:s|ed|ing|ures?)?|broken)\b")
_JOINT = re.compile(r"[,;:]|\b(?:and|but|so|then)\b")
_EDGES = re.compile(r"^[\s,;:|(]*(?:(?:and|but|so|then)\s+)?|[\s,;:|(]*(?:\s(?:and|but|so|then))?[\s,;:|(]*$")


def claims_in(answer: str) -> list[Claim]:
    """The claims of an answer in their order, each once."""
    found: dict[Claim, None] = {}
    before = ""
    blocks = list(blocks_of(answer))
    fails = any(_FAILURE.search(plain(block)) for block in blocks if isinstance(block, str))
    for block in blocks:
        found |= dict.fromkeys(
            _claims_of_output(block) if isinstance(block, Shown) else _claims_of_block(block, before)
        )
        before = before if isinstance(block, Shown) else block
    return [replace(claim, beside_failures=fails) for claim in found]


def _claims_of_output(shown: Shown) -> Iterator[Claim]:
    """Of output that the answer presents as that of a run."""
    if not _LEADS_OUTPUT.search(shown.lead) or is_hedged(shown.lead, len(shown.lead) - 1, len(shown.lead)):
        return
    lines = [line.strip() for line in shown.content.splitlines() if line.strip()]
    counts = counts_in(shown.content)
    if counts.passed or counts.failed:
        yield Claim(text=lines[-1], about="test", kind="test", passed=counts.passed, failed=counts.failed, exactly=True)
    elif outcome_in("lint", shown.content) and (checks := checks_in(lines[0].lstrip("$ "))):
        yield Claim(text=lines[-1], about=checks[0].kind, kind=checks[0].kind)


def _claims_of_block(block: str, before: str) -> Iterator[Claim]:
    if cited := _CITED.fullmatch(block.strip()):
        for id in re.findall(r"[\w.-]+", cited.group(1)):
            yield Claim(text=block.strip(), about="cited", command=id)
        return
    for sentence in sentences_of(block):
        if not sentence.is_question and len(sentence.words) <= _LONGEST:
            yield from _claims_of_sentence(sentence, before)
        before = f"{before[-_LONGEST:]} {sentence.restored(sentence.words)}"


def _claims_of_sentence(sentence: Sentence, before: str) -> Iterator[Claim]:
    words = plain(sentence.words)
    said = re.sub(TOKEN, lambda match: _document(sentence.tokens[int(match.group(1))], match.group()), words)
    found: list[Found] = []
    for match in _matches(sentence, words, before):
        is_told_already = any(
            match.begin < other.end and other.begin < match.end and _is_same(match, other) for other in found
        )
        if not is_told_already and not is_hedged(said, match.begin, match.end):
            found.append(match)
    found.sort(key=lambda match: match.begin)
    begins = [0, *(_begin_of(words, one.end, other.begin) for one, other in pairwise(found)), len(words)]
    for match, begin, end in zip(found, begins, begins[1:]):
        if begin > match.begin or end < match.end:
            begin, end = match.begin, match.end
        text = sentence.restored(_EDGES.sub("", sentence.words[begin:end]))
        for claim in match.claims:
            yield replace(claim, text=text)


def _begin_of(words: str, end: int, begin: int) -> int:
    """Where between two claims the words of the second begin."""
    return max((mark.end() for mark in _JOINT.finditer(words, end, begin)), default=begin)


def _matches(sentence: Sentence, words: str, before: str) -> Iterator[Found]:
    spoken = f"{before} {sentence.restored(sentence.words)}"
    yield from claims_of_several_checks(sentence, words)
    yield from claims_of_tests(sentence, words, spoken_of=SPEAKS_OF_TESTS.search(spoken) is not None)
    yield from claims_of_checks(sentence, words, spoken_of=SPEAKS_OF_CHECKS.search(spoken) is not None)
    yield from claims_of_commits(sentence, words)
    yield from claims_of_changes(sentence, words)


def _is_same(one: Found, other: Found) -> bool:
    """Whether two finds in the same words are of the same thing; that all went well is said of each."""
    kinds, others = ({claim.about for claim in found.claims} for found in (one, other))
    return not kinds.isdisjoint(others) or "any" in kinds | others


def _document(token: str, written: str) -> str:
    """A file that is there to be read has a say of its own, which is not the model's."""
    is_text = is_path(token) and token.lower().endswith((".md", ".rst", ".txt", "readme", "changelog", "license"))
    return "doc".ljust(len(written)) if is_text else written
