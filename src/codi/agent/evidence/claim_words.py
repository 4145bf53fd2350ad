"""The words in which models speak of tests, builds and checks."""

import re

from codi.protocol.events import Check

_COUNTING = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_NUMBERS = {word: number for number, word in enumerate(_COUNTING.split(" "), 1)}
NUMBER = rf"(?:\d[\d,]*|{'|'.join(_NUMBERS)})"

AUX = (
    r"(?:(?:now|all|also|still|both|again|currently|already|have|has|had|are|is|was|were|been|do|did|continues? to|completed?"
    r"|finish(?:ed|es)?|executed|ran|run|runs|came|come|comes|back|fully|just|then|each|and all) )"
)
"""What may stand between what was checked and how it went."""

PASS = (
    r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|green|successful(?:ly)?|ok|okay|clean(?:ly)?(?:_\w+)?|fine(?! as\b)|✅|✔|✓)"
    r"(?! (?:(?:an?|the|it|its|them|through|along|this|that|these|those|data|arguments?|parameters?|values?|down|over|control)\b|⟦))"
    r"(?![\w-])"
)
"""That it went well; not that something is passed on."""

WHERE = r"(?: (?:in|for|of|under|from|with|at|on) [^,;:]{1,60}?)?"
REPORTS = (
    r"(?:(?:reports?|reported|says?|shows?|showed|found|finds?|gives?|gave|exits?|exited|has|had|with|returns?|returned"
    r"|produces?|produced|raises?|raised) )"
)
LINKED = r"(?: -| –|:|,? which| that| \|| →| ->)?"

LINT_NOUN = (
    r"(?:lint(?:er|ers|ing|s)?|ruff|eslint|flake8|pylint|clippy|cargo clippy|black|prettier|isort|rubocop|golangci-lint|go vet"
    r"|biome|stylelint|shellcheck|formatter|formatting|style(?: check(?:s|er)?)?|pre-commit)"
)
TYPES_NOUN = (
    r"(?:mypy|pyright|basedpyright|tsc|type[ -]?check(?:s|er|ers|ing)?|types|typing|typescript|static analysis)"
)

SPEAKS_OF_TESTS = re.compile(r"\btests?\b|\bsuite\b|pytest|unittest|\bspecs?\b", re.IGNORECASE)
SPEAKS_OF_CHECKS = re.compile(rf"\b(?:tests?|suite|specs?|builds?|{LINT_NOUN}|{TYPES_NOUN})\b", re.IGNORECASE)

_IDIOM = re.compile(
    r"\b(?:with )?(?:no|0|zero|without|free of|not a single|without a single) (?:any |a single )?(?P<of>(?:[\w-]+ ){0,2}?)"
    r"(?:errors?|warnings?|issues?|problems?|violations?|complaints?|findings?|failures?|regressions?|offenses?|failing tests?"
    r"|failed tests?)\b(?: (?:were |was |are |is )?(?:found|reported|detected|left|remaining|remain))?"
    r"(?:,? (?:and|or) (?:no |0 )?(?:errors?|warnings?|failures?))?"
)


def plain(words: str) -> str:
    """The same length, in small letters, with words such as `no lint errors` put as `clean_lint`, for they deny nothing."""
    return _IDIOM.sub(_cleaned, words.lower().replace("’", "'"))


def _cleaned(idiom: re.Match[str]) -> str:
    text = idiom.group()
    kind = "tests" if re.search(r"\btest|fail|regress", text) else kind_of(idiom.group("of"))
    told = f"clean_{kind}" if kind else "clean"
    return told[: len(text)].ljust(len(text))


def kind_of(words: str) -> Check | None:
    """The kind of check that words name first and foremost."""
    if re.search(r"\b(?:tests?|suite|specs?|pytest|unittest)\b", words):
        return "test"
    if re.search(LINT_NOUN, words):
        return "lint"
    if re.search(rf"{TYPES_NOUN}|\btype\b", words):
        return "types"
    return "build" if re.search(r"build|compil", words) else None


def number_of(text: str | None) -> int | None:
    """The number that a word or digits stand for."""
    if not text:
        return None
    return _NUMBERS.get(text) or int(text.replace(",", ""))
