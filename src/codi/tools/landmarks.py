"""Plain texts that a line must hold for a pattern to match it: looked for first, they rule most files out at little cost."""

from collections.abc import Iterator

from msgspec import Struct

from codi.tools.patterns import AnyCase, Chars, Choice, Node, Repeat, Sequence, only

_MOST = 16
"""So many texts in place of one are still quicker than the pattern."""


class Landmark(Struct, frozen=True):
    text: str
    any_case: bool
    """Then the text is of ASCII alone. Beware of letters beyond ASCII that are another case of one in it."""


def landmarks(node: Node, *, any_case: bool = False) -> tuple[Landmark, ...]:
    """At least one of these is in each line that matches. None are given where nothing can be said."""
    match node:
        case Chars():
            letter = _letter(node, any_case)
            return (Landmark(letter, any_case),) if letter else ()
        case AnyCase(body):
            return landmarks(body, any_case=True)
        case Repeat(body, least) if least:
            return landmarks(body, any_case=any_case)
        case Choice(choices):
            each = [landmarks(choice, any_case=any_case) for choice in choices]
            together = tuple(one for found in each for one in found)
            return together if all(each) and len(together) <= _MOST else ()
        case Sequence(parts):
            return max(_of_parts(parts, any_case), key=_worth, default=())
    return ()


def _of_parts(parts: tuple[Node, ...], any_case: bool) -> Iterator[tuple[Landmark, ...]]:
    run = ""
    for part in parts:
        letter = _letter(part, any_case) if isinstance(part, Chars) else ""
        if not letter:
            yield (Landmark(run, any_case),) if run else ()
            yield landmarks(part, any_case=any_case)
        run = run + letter if letter else ""
    yield (Landmark(run, any_case),) if run else ()


def _worth(found: tuple[Landmark, ...]) -> tuple[int, int]:
    return min((len(one.text) for one in found), default=0), -len(found)


def _letter(chars: Chars, any_case: bool) -> str:
    """The only character that fits, where it is one of which can be said how a file holds it."""
    code = only(chars)
    if code is None or 0xD800 <= code <= 0xDFFF or (any_case and code > 127):
        return ""
    return chr(code)
