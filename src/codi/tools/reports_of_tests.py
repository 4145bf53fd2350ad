"""What a run of tests says of itself: read from its output, and never guessed.

Structured output comes first (JUnit XML, the JSON lines of `go test`), then the closing lines of the known runners, with their
words in any order. Where nothing of the kind is found there is no report.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import DecodeError, Struct
from msgspec.json import decode

MOST_FAILURES = 10
FAILURE_CHARACTERS = 500
_MOST_XML = 8 * 1024 * 1024


class Report(Struct, frozen=True, kw_only=True):
    """`seconds` is None where the runner does not say. `failures` are the first of them, each a name and a reason."""

    passed: int
    failed: int
    skipped: int
    seconds: float | None = None
    failures: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped


def report_in(output: str) -> Report | None:
    """None where the output holds no count of tests."""
    for reader in (_junit, _go_json, _cargo, _pytest, _jest, _vitest, _unittest, _mocha, _bun, _tap):
        report = reader(output)
        if report is not None:
            return report
    return None


def _shortened(failures: Iterable[str]) -> tuple[str, ...]:
    short = []
    for failure in failures:
        text = failure.strip()
        short.append(text if len(text) <= FAILURE_CHARACTERS else text[: FAILURE_CHARACTERS - 3] + "...")
        if len(short) == MOST_FAILURES:
            break
    return tuple(short)


def _counted(words: str) -> dict[str, int]:
    """`3 passed, 1 failed` and the like as numbers by word."""
    counts: dict[str, int] = {}
    for number, word in re.findall(r"(\d+) ([a-z]+)", words):
        counts[word] = counts.get(word, 0) + int(number)
    return counts


def _junit(output: str) -> Report | None:
    start = output.find("<testsuite")
    if start < 0:
        return None
    end = max(output.rfind("</testsuites>") + 13, output.rfind("</testsuite>") + 12)
    text = output[start:end]
    if len(text) > _MOST_XML or "<!" in text.replace("<![CDATA[", ""):
        return None  # no document type: entities could grow without end
    import xml.etree.ElementTree as xml  # 5 ms, and few runs print it

    try:
        root = xml.fromstring(text)
    except xml.ParseError:
        return None
    failed: list[str] = []
    skipped = passed = 0
    seconds = 0.0
    for case in root.iter("testcase"):
        seconds += _as_number(case.get("time"))
        trouble = next((part for part in case if part.tag in ("failure", "error")), None)
        if trouble is not None:
            name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
            failed.append(f"{name}: {trouble.get('message') or (trouble.text or '').strip()}")
        elif any(part.tag == "skipped" for part in case):
            skipped += 1
        else:
            passed += 1
    return Report(
        passed=passed, failed=len(failed), skipped=skipped, seconds=round(seconds, 3), failures=_shortened(failed)
    )


def _as_number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


class _GoEvent(Struct, rename="pascal"):
    action: str
    package: str = ""
    test: str = ""
    output: str = ""
    elapsed: float = 0.0


def _go_json(output: str) -> Report | None:
    ends = {"pass": 0, "fail": 0, "skip": 0}
    said: dict[tuple[str, str], str] = {}
    failures: list[str] = []
    seconds, any_event = 0.0, False
    for line in output.splitlines():
        if not line.startswith('{"') or '"Action"' not in line:
            continue
        try:
            event = decode(line, type=_GoEvent)
        except DecodeError:
            continue
        place = (event.package, event.test)
        if event.action == "output":
            said[place] = (said.get(place, "") + event.output)[-4 * FAILURE_CHARACTERS :]
        elif event.action in ends:
            if not event.test:
                seconds += event.elapsed
            else:
                any_event = True
                ends[event.action] += 1
            text = " ".join(said.pop(place, "").split())
            if event.action == "fail" and (event.test or "build failed" in text):
                failures.append(f"{event.package}.{event.test}: {text}" if event.test else f"{event.package}: {text}")
    if not any_event:
        return None
    return Report(
        passed=ends["pass"],
        failed=ends["fail"],
        skipped=ends["skip"],
        seconds=round(seconds, 3),
        failures=_shortened(failures),
    )


_CARGO = re.compile(r"^test result: \w+\. (?P<words>.*?)(?:; finished in (?P<seconds>[\d.]+)s)?$", re.MULTILINE)
_CARGO_FAILURE = re.compile(r"^---- (?P<name>.+?) stdout ----\n(?P<text>.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def _cargo(output: str) -> Report | None:
    results = list(_CARGO.finditer(output))
    if not results:
        return None
    counts = [_counted(result["words"]) for result in results]
    seconds = [float(result["seconds"]) for result in results if result["seconds"]]
    return Report(
        passed=sum(count.get("passed", 0) for count in counts),
        failed=sum(count.get("failed", 0) for count in counts),
        skipped=sum(count.get("ignored", 0) for count in counts),
        seconds=round(sum(seconds), 3) if seconds else None,
        failures=_shortened(f"{found['name']}: {found['text']}" for found in _CARGO_FAILURE.finditer(output)),
    )


_PYTEST_WORD = r"\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected|rerun|subtests passed)"
_PYTEST = re.compile(
    rf"^=*[ ]?(?P<words>{_PYTEST_WORD}(?:, {_PYTEST_WORD})*|no tests ran|no tests collected[^=\n]*?) in (?P<seconds>[\d.]+)s?"
    r"(?: \([\d:]+\))?[ ]?=*$",
    re.MULTILINE,
)
_PYTEST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (?P<name>\S.*?)(?: - (?P<text>.*))?$", re.MULTILINE)


def _pytest(output: str) -> Report | None:
    results = list(_PYTEST.finditer(output))
    if not results:
        return None
    counts = _counted(results[-1]["words"])
    return Report(
        passed=counts.get("passed", 0) + counts.get("xpassed", 0),
        failed=counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0),
        skipped=counts.get("skipped", 0) + counts.get("xfailed", 0),
        seconds=float(results[-1]["seconds"]),
        failures=_shortened(
            f"{found['name']}: {found['text']}" if found["text"] else found["name"]
            for found in _PYTEST_FAILURE.finditer(output)
        ),
    )


_JEST = re.compile(r"^Tests:\s+(?P<words>(?:\d+ [a-z]+, )*\d+ total)$", re.MULTILINE)
_JEST_TIME = re.compile(r"^Time:\s+(?P<seconds>[\d.]+) ?s\b", re.MULTILINE)
_JEST_FAILURE = re.compile(r"^\s*● (?P<name>[^\n]+)\n(?P<text>\n*(?: {4,}[^\n]+\n?){0,3})", re.MULTILINE)


def _jest(output: str) -> Report | None:
    results = list(_JEST.finditer(output))
    if not results:
        return None
    counts = _counted(results[-1]["words"])
    took = _JEST_TIME.search(output, results[-1].end())
    return Report(
        passed=counts.get("passed", 0),
        failed=counts.get("failed", 0),
        skipped=counts.get("skipped", 0) + counts.get("pending", 0) + counts.get("todo", 0),
        seconds=float(took["seconds"]) if took else None,
        failures=_named_once(
            (found["name"].strip(), " ".join(found["text"].split())) for found in _JEST_FAILURE.finditer(output)
        ),
    )


_VITEST = re.compile(r"^\s*Tests\s+(?P<words>\d+ [a-z]+(?: \| \d+ [a-z]+)*) \((?P<total>\d+)\)$", re.MULTILINE)
_VITEST_TIME = re.compile(r"^\s*Duration\s+(?P<number>[\d.]+)(?P<unit>ms|s|m)", re.MULTILINE)
_VITEST_FAILURE = re.compile(r"^\s*FAIL\s+(?P<name>[^\n]+ > [^\n]+)\n(?P<text>[^\n]*)", re.MULTILINE)


def _vitest(output: str) -> Report | None:
    results = list(_VITEST.finditer(output))
    if not results:
        return None
    counts = _counted(results[-1]["words"])
    took = _VITEST_TIME.search(output, results[-1].end())
    return Report(
        passed=counts.get("passed", 0),
        failed=counts.get("failed", 0),
        skipped=counts.get("skipped", 0) + counts.get("todo", 0),
        seconds=_seconds(took["number"], took["unit"]) if took else None,
        failures=_named_once(
            (found["name"].strip(), found["text"].strip()) for found in _VITEST_FAILURE.finditer(output)
        ),
    )


_UNITTEST = re.compile(
    r"^Ran (?P<total>\d+) tests? in (?P<seconds>[\d.]+)s\n+(?:OK|FAILED|NO TESTS RAN)(?: \((?P<words>[^)]*)\))?",
    re.MULTILINE,
)
_UNITTEST_FAILURE = re.compile(
    r"^(?:FAIL|ERROR): (?P<name>[^\n]+)\n(?:[^\n]+\n)?-{20,}\n(?P<text>.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL
)


def _unittest(output: str) -> Report | None:
    results = list(_UNITTEST.finditer(output))
    if not results:
        return None
    result = results[-1]
    counts = {word: int(number) for word, number in re.findall(r"([a-z ]+)=(\d+)", result["words"] or "")}
    counts = {word.strip(): number for word, number in counts.items()}
    failed = counts.get("failures", 0) + counts.get("errors", 0) + counts.get("unexpected successes", 0)
    skipped = counts.get("skipped", 0) + counts.get("expected failures", 0)
    return Report(
        passed=max(int(result["total"]) - failed - skipped, 0),
        failed=failed,
        skipped=skipped,
        seconds=float(result["seconds"]),
        failures=_shortened(
            f"{found['name']}: {found['text'].strip().splitlines()[-1] if found['text'].strip() else ''}"
            for found in _UNITTEST_FAILURE.finditer(output)
        ),
    )


_MOCHA = re.compile(r"^\s+(?P<passed>\d+) passing(?: \((?P<number>[\d.]+)(?P<unit>ms|s|m)\))?$", re.MULTILINE)
_MOCHA_OTHER = re.compile(r"^\s+(?P<count>\d+) (?P<word>failing|pending)$", re.MULTILINE)
_MOCHA_FAILURE = re.compile(r"^  \d+\) (?P<text>.*?:\n.*?)(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


def _mocha(output: str) -> Report | None:
    results = list(_MOCHA.finditer(output))
    if not results:
        return None
    result = results[-1]
    others = {found["word"]: int(found["count"]) for found in _MOCHA_OTHER.finditer(output, result.end())}
    return Report(
        passed=int(result["passed"]),
        failed=others.get("failing", 0),
        skipped=others.get("pending", 0),
        seconds=_seconds(result["number"], result["unit"]) if result["number"] else None,
        failures=_shortened(" ".join(found["text"].split()) for found in _MOCHA_FAILURE.finditer(output, result.end())),
    )


_BUN = re.compile(
    r"^Ran (?P<total>\d+) tests? across \d+ files?\. \[(?P<number>[\d.]+)(?P<unit>ms|s|m)\]", re.MULTILINE
)
_BUN_COUNT = re.compile(r"^\s*(?P<count>\d+) (?P<word>pass|fail|skip|todo)$", re.MULTILINE)


def _bun(output: str) -> Report | None:
    results = list(_BUN.finditer(output))
    counts = {found["word"]: int(found["count"]) for found in _BUN_COUNT.finditer(output)}
    if not results or "pass" not in counts:
        return None
    names = re.findall(r"^\(fail\) (.+?)(?: \[[\d.]+ms\])?$", output, re.MULTILINE)
    return Report(
        passed=counts["pass"],
        failed=counts.get("fail", 0),
        skipped=counts.get("skip", 0) + counts.get("todo", 0),
        seconds=_seconds(results[-1]["number"], results[-1]["unit"]),
        failures=_shortened(names),
    )


_TAP = re.compile(r"^(?:#|ℹ) (?P<word>pass|fail|skipped|todo|cancelled|duration_ms) (?P<number>[\d.]+)$", re.MULTILINE)


def _tap(output: str) -> Report | None:
    counts = {found["word"]: float(found["number"]) for found in _TAP.finditer(output)}
    if not {"pass", "fail"} <= counts.keys():
        return None
    names = re.findall(r"^\s*not ok \d+ - (.+)$", output, re.MULTILINE)
    return Report(
        passed=int(counts["pass"]),
        failed=int(counts["fail"] + counts.get("cancelled", 0)),
        skipped=int(counts.get("skipped", 0) + counts.get("todo", 0)),
        seconds=round(counts["duration_ms"] / 1000, 3) if "duration_ms" in counts else None,
        failures=_shortened(names),
    )


def _seconds(number: str, unit: str) -> float:
    scale: dict[str, Callable[[float], float]] = {"ms": lambda n: n / 1000, "s": lambda n: n, "m": lambda n: n * 60}
    return round(scale[unit](float(number)), 3)


def _named_once(found: Iterator[tuple[str, str]]) -> tuple[str, ...]:
    """Runners name a failure where it happens and again in their summary."""
    first: dict[str, str] = {}
    for name, text in found:
        first.setdefault(name, text)
    return _shortened(f"{name}: {text}" if text else name for name, text in first.items())
