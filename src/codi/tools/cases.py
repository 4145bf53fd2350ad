"""The cases of letters, by the simple case folding of the Unicode standard, as ripgrep knows them.

Python's `re` has an order of its own: to it a dotless `ı` is an `i`, while in a pattern the sign for Kelvin is no `k`. A
pattern that takes any case is therefore written out, each set with all cases of its members, before Python sees it.
"""

from functools import cache

from codi.tools.patterns import AnyCase, Assertion, Chars, Choice, Node, Repeat, Sequence

LIKE_ASCII = "\u017f\u212a"
"""The letters beyond ASCII that are another case of one in it: of s and k."""
_END = 0x1E944  # of those that have cases


def with_all_cases(node: Node, *, any_case: bool = False) -> Node:
    """The same pattern without `AnyCase`."""
    match node:
        case Chars(ranges, classes, negated):
            return Chars(ranges + _others(ranges), classes, negated) if any_case else node
        case Assertion():
            return node
        case AnyCase(body):
            return with_all_cases(body, any_case=True)
        case Sequence(parts):
            return Sequence(tuple(with_all_cases(part, any_case=any_case) for part in parts))
        case Choice(choices):
            return Choice(tuple(with_all_cases(choice, any_case=any_case) for choice in choices))
        case Repeat(body, least, most):
            return Repeat(with_all_cases(body, any_case=any_case), least, most)


def _others(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    table = _ascii_cases() if all(high < 128 for _, high in ranges) else _cases()
    found = {
        other
        for low, high in ranges
        for code in (range(low, high + 1) if high - low < len(table) else table)
        if low <= code <= high
        for other in table.get(code, ())
    }
    return tuple((code, code) for code in sorted(found) if not any(low <= code <= high for low, high in ranges))


@cache
def _ascii_cases() -> dict[int, list[int]]:
    return _grouped([*range(128), *map(ord, LIKE_ASCII)])


@cache
def _cases() -> dict[int, list[int]]:
    return _grouped(range(_END))


def _grouped(codes: "range | list[int]") -> dict[int, list[int]]:
    """To each letter all letters of its group, where there is more than itself."""
    groups: dict[str, list[int]] = {}
    for code in codes:
        groups.setdefault(_folded(chr(code)), []).append(code)
    return {code: group for group in groups.values() if len(group) > 1 for code in group}


def _folded(letter: str) -> str:
    # What folds to several letters does so in full folding only; in simple folding these have at most a small form.
    for form in (letter.casefold(), letter.lower()):
        if len(form) == 1:
            return form
    return letter
