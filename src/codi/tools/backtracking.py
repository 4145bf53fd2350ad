"""How long a line may be before a backtracking engine could need more than a moment for it.

Such an engine tries one way through a pattern after another. How many there are is read off the pattern: a set has one way, one
after the other multiply, alternatives add up, a loop over a plain text has as many as the line is long, and a loop over
anything that has several ways of its own has more than can be counted.
"""

import sys

from codi.tools.patterns import AnyCase, Assertion, Chars, Choice, Node, Repeat, Sequence

_MOST_STEPS = 4_000_000
"""In one line; a few hundredths of a second."""
_FEW_WAYS = 64
"""So many, where they do not grow with the line, do not matter however long it is."""
_MANY = 10**9

Ways = tuple[int, int]
"""`(count, power)`: `count` times the length of the line to that power."""


def longest_line(node: Node) -> int:
    """In characters. With 0 there is no line, however short, of which to be sure."""
    count, power = _ways(node)
    if not power and count <= _FEW_WAYS:
        return sys.maxsize
    longest = int((_MOST_STEPS / count) ** (1 / (power + 1)))
    return longest if longest >= 16 else 0


def _ways(node: Node) -> Ways:
    match node:
        case Chars() | Assertion():
            return 1, 0
        case AnyCase(body):
            return _ways(body)
        case Sequence(parts):
            count, power = 1, 0
            for part in parts:
                more, higher = _ways(part)
                count, power = min(count * more, _MANY), power + higher
            return count, power
        case Choice(choices):
            each = [_ways(choice) for choice in choices]
            return min(sum(count for count, _ in each), _MANY), max(power for _, power in each)
        case Repeat(body, least, most):
            count, power = _ways(body)
            if most is None:
                return (1, 1) if (count, power) == (1, 0) else (_MANY, 1)
            times = min(most, 64)
            return min(count**times * (most - least + 1), _MANY), power * most
