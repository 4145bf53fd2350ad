"""What a test, build, lint or type check run says of itself in its output. What cannot be read is None, and never guessed."""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from codi.protocol.events import Check
from codi.tools.reports_of_tests import report_in


class Counts(Struct, frozen=True):
    """Tests by how they ended. Errors count as failed."""

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None


def counts_in(output: str) -> Counts:
    """The numbers of a test run. Of several runs of the same program they may be those of one."""
    if report := report_in(output):
        return Counts(report.passed, report.failed, report.skipped)
    best, place = Counts(), -1
    for pattern, read in _SUMMARIES:
        found = list(pattern.finditer(output))
        if found and found[-1].end() > place:
            place, best = found[-1].end(), read(found)
    return best


def outcome_in(kind: Check, output: str) -> bool | None:
    """Whether a run says that it went well, where its exit status cannot be heard; None where it does not say."""
    if kind == "test":
        counts = counts_in(output)
        if counts.failed:
            return False
        return True if counts.passed else None
    if _WENT_WRONG.search(output):
        return False
    return True if _WENT_WELL.search(output) else None


_Found = Sequence[re.Match[str]]


def _number(text: str, pattern: str) -> int | None:
    found = re.search(pattern, text, re.IGNORECASE)
    return int(found.group(1)) if found else None


def _sum(*numbers: int | None) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _of_words(found: _Found) -> Counts:
    """`2 failed, 12 passed, 1 skipped in 0.3s` in any order, as pytest, jest and many others say it."""
    line = found[-1].group()
    return Counts(
        _number(line, r"(\d+) (?:passed|pass)\b") or 0,
        _sum(_number(line, r"(\d+) (?:failed|fail|failures?)\b"), _number(line, r"(\d+) errors?\b")) or 0,
        _sum(*(_number(line, rf"(\d+) (?:{word})\b") for word in ("skipped|skip", "todo", "pending"))) or 0,
    )


def _of_total(found: _Found) -> Counts:
    """A total, and how many of it failed or were skipped: rspec, phpunit, JUnit, minitest, mix, XCTest."""
    told = found[-1].group()
    total = int(found[-1].group(1))
    failed = _sum(
        _number(told, r"(\d+) failures?\b"),
        _number(told, r"(\d+) errors?\b"),
        _number(told, r"\b(?:failures|failed): *(\d+)"),
        _number(told, r"\berrors: *(\d+)"),
    )
    failed = failed if failed is not None else _number(told, r"(\d+) failed\b") or 0
    skipped = (
        _sum(_number(told, r"(\d+) (?:pending|skips|skipped|excluded|ignored)\b"), _number(told, r"skipped: *(\d+)"))
        or 0
    )
    return Counts(total - failed - skipped, failed, skipped)


def _of_dotnet(found: _Found) -> Counts:
    told = found[-1].group()
    return Counts(*(_number(told, rf"{word}: +(\d+)") for word in ("Passed", "Failed", "Skipped")))


def _of_ctest(found: _Found) -> Counts:
    failed, total = int(found[-1].group(1)), int(found[-1].group(2))
    return Counts(total - failed, failed, 0)


def _of_go(found: _Found) -> Counts:
    words = [match.group(1).lower() for match in found]
    return Counts(words.count("pass"), words.count("fail"), words.count("skip"))


def _of_nothing(found: _Found) -> Counts:
    return Counts(0, 0, 0)


_ITEM = r"\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|todo|pending|total|rerun)\b"
_SUMMARIES: Sequence[tuple[re.Pattern[str], Callable[[_Found], Counts]]] = [
    (re.compile(rf"^=* ?(?:{_ITEM}(?:, )?)*{_ITEM} in [\d.]+ ?m?s", re.MULTILINE), _of_words),
    (re.compile(rf"^ *Tests:? +(?:{_ITEM}(?:, | \| )?)+", re.MULTILINE), _of_words),
    (re.compile(r"^=* ?no tests ran\b.*", re.MULTILINE), _of_nothing),
    (re.compile(r"^(\d+) (?:examples?|tests|runs), (?:\d+ assertions?, )?\d+ failures?.*", re.MULTILINE), _of_total),
    (re.compile(r"^OK \((\d+) tests?, \d+ assertions?.*\)", re.MULTILINE), _of_total),
    (re.compile(r"^(?:.*\] )?Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: \d+", re.MULTILINE), _of_total),
    (re.compile(r"^Tests: (\d+), Assertions: \d+.*", re.MULTILINE), _of_total),
    (re.compile(r"^(\d+) tests completed.*", re.MULTILINE), _of_total),
    (re.compile(r"Executed (\d+) tests?, with \d+ failures?"), _of_total),
    (re.compile(r"(?:Passed|Failed)! +- Failed: +\d+, Passed: +\d+, Skipped: +\d+.*"), _of_dotnet),
    (re.compile(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)", re.MULTILINE), _of_ctest),
    (re.compile(r"^(?:ok|FAILED) \| \d+ passed.*", re.MULTILINE), _of_words),
    (re.compile(r"^ *--- (PASS|FAIL|SKIP): ", re.MULTILINE), _of_go),
    (re.compile(r'"Action":"(pass|fail|skip)","Package":"[^"]*","Test":'), _of_go),
]

_WENT_WRONG = re.compile(
    r"\bFound [1-9]\d* (?:errors?|issues?|warnings?)|\b[1-9]\d* (?:errors?|problems?)\b|\berror TS\d+|: error[:\[]|^error[:\[]"
    r"|\bBUILD FAIL|^make(?:\[\d+\])?: \*\*\*|\bwould reformat|\bfailed\b",
    re.MULTILINE,
)
_WENT_WELL = re.compile(
    r"^All checks passed!|^Success: no issues found|\b0 errors?\b|\bno (?:issues|errors|problems|warnings) found"
    r"|\bBUILD SUCCESS|\bBuild succeeded|\bcompiled successfully|^ *Finished\b|\bbuilt in \d|\bfiles? would be left unchanged"
    r"|\bfiles? already formatted",
    re.MULTILINE | re.IGNORECASE,
)
