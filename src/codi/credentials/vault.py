"""The vault: secrets go in, `{{secret:NAME_1}}` comes out, and the other way round where something is done with them.

A model, a session file, a log and a screen hold placeholders alone. A placeholder stands for exact bytes, so that what is veiled
can be given back whatever it was: also where it only looked like a secret. The values live in this process and nowhere else;
what is told about them are digests under a key of codi's home, by which the same value gets the same name when a session goes
on.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from codi.credentials.detectors import Detectors, random_run
from codi.credentials.encodings import encoded_forms
from codi.credentials.known import KnownValues
from codi.credentials.streaming import Stream
from codi.credentials.surroundings import Found, has_digit, has_letter, is_plain, unfinished_from

_OPENING = "{{secret:"
_PLACEHOLDER = re.compile(r"\{\{secret:([A-Z][A-Z0-9_]*_[0-9]+)\}\}")
_IN_BYTES = re.compile(rb"\{\{secret:([A-Z][A-Z0-9_]*_[0-9]+)\}\}")
_LITERAL = "LITERAL"
_SHORTEST = 4
_SHORTEST_KNOWN = 6
_LEAST_LEFT = 6
_SEVERAL = 8
_SHORT, _MANY = 24, 1000
"""Of so many short texts, which are mostly words of an answer that streams, it is remembered that nothing is in them."""

Digest = Callable[[bytes], str]
News = Callable[[], Iterable[tuple[str, str]]]


class NotHeld(Exception):
    """A placeholder stands for a value that this process does not hold. `name` is the placeholder."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Vault:
    """`digest` tells a value from others without telling it; `news` gives names and values of secrets that have come to be
    known since it was last asked. With `veils` False nothing is replaced, and it is only told what would have been."""

    def __init__(
        self,
        detectors: Detectors | None = None,
        digest: Digest | None = None,
        *,
        news: News = tuple,
        veils: bool = True,
    ) -> None:
        self._detectors = detectors or Detectors()
        self._digest = digest
        self._news = news
        self._veils = veils
        self._known = KnownValues()
        self._names: dict[bytes, str] = {}
        self._values: dict[str, bytes | None] = {}
        self._numbers: dict[str, int] = {}
        self._before: dict[tuple[str, str], str] = {}
        self._unnoted: dict[str, str] = {}
        self._remarks: list[str] = []
        self._is_watching_chance = True
        self._clean: set[str] = set()

    def know(self, name: str, value: str) -> None:
        """From now on this value is veiled wherever it stands, under a name made of this one."""
        self._learn(_encoded(value), _label(name))

    def look_around(self) -> None:
        """Learn the values that have come to be known elsewhere."""
        for name, value in self._news():
            self.know(name, value)

    def remember(self, named: Mapping[str, str]) -> None:
        """Names that were given earlier in this session, with the digests of what they stand for. Their values are not held;
        who brings the same value again gets its name."""
        for name, digest in named.items():
            label, _, number = name.rpartition("_")
            if number.isdecimal() and isinstance(digest, str):
                self._values.setdefault(name, None)
                self._before[label, digest] = name

    def is_clean(self, texts: Iterable[str]) -> bool:
        """Whether there is nothing to veil in any of them."""
        data = _encoded("\n\n".join(texts))
        if self._spans(data):
            return False
        self._watch_chance(data)
        return True

    def veil(self, text: str) -> str:
        """The text with placeholders for all secrets in it. Those that stand there already stay."""
        if len(text) < _SHORTEST or text in self._clean:
            return text
        veiled = self._veiled(text)
        if len(text) <= _SHORT and veiled == text:
            if len(self._clean) >= _MANY:
                self._clean.clear()
            self._clean.add(text)
        return veiled

    def veil_foreign(self, text: str) -> str:
        """The same for a text that comes from outside, where what looks like a placeholder is none: it stands for itself, and
        is given another name where a secret has that one."""
        if _OPENING not in text or not self._veils:
            return self.veil(text)
        data = _encoded(text)
        literal: list[Found] = []
        for found in _IN_BYTES.finditer(data):
            name = found[1].decode()
            if self._values.setdefault(name, found[0]) != found[0]:
                literal.append((*found.span(), _LITERAL))
        return self._veiled(text, literal)

    def restore(self, text: str) -> str:
        """The text with the secrets in place of their placeholders. Raises NotHeld."""
        return _PLACEHOLDER.sub(self._restored, text) if _OPENING in text else text

    def stream(self) -> Stream:
        """Veils a text that comes in pieces."""
        return Stream(self)

    def unnoted(self) -> dict[str, str]:
        """Names that were given since this was last asked, each with the digest of its value: for the session to keep."""
        unnoted, self._unnoted = self._unnoted, {}
        return unnoted

    def remarks(self) -> list[str]:
        """What the person should know and was not told yet."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def cut(self, data: bytes, most: int) -> int:
        """Up to where, and no more than `most`, a text may be veiled of which more is to come."""
        return self._known.cut(data, min(most, unfinished_from(data)))

    def crossing(self, data: bytes, at: int) -> int:
        """The beginning of the secret that reaches across a place; the place itself where none does."""
        return min((start for start, end, _ in self._spans(data) if start < at < end), default=at)

    def _veiled(self, text: str, literal: Iterable[Found] = ()) -> str:
        data = _encoded(text)
        spans = [*self._spans(data), *literal]
        if not spans:
            self._watch_chance(data)
            return text
        if not self._veils:
            for start, end, name in spans:
                self._name(data[start:end], name)
            return text
        while (
            spans
        ):  # what was just learned may stand there once more in another form, and new words begin where old ones went
            data = self._replaced(data, _apart(spans))
            spans = self._spans(data)
        return data.decode("utf-8", "surrogatepass")

    def _spans(self, data: bytes) -> list[Found]:
        known = list(self._known.spans(data))
        found = [span for span in self._detectors.spans(data) if not any(_explains(span, other) for other in known)]
        return list(self._without_placeholders(data, [*known, *found]))

    def _without_placeholders(self, data: bytes, spans: Iterable[Found]) -> Iterator[Found]:
        if b"{{secret:" not in data:
            yield from spans
            return
        standing = [found.span() for found in _IN_BYTES.finditer(data) if found[1].decode() in self._values]
        for start, end, name in spans:
            if not any(start < other_end and other_start < end for other_start, other_end in standing):
                yield start, end, name

    def _replaced(self, data: bytes, spans: Iterable[Found]) -> bytes:
        pieces: list[bytes] = []
        at = 0
        for start, end, name in spans:
            pieces += (data[at:start], b"{{secret:%s}}" % self._name(data[start:end], name).encode())
            at = end
        return b"".join((*pieces, data[at:])) if pieces else data

    def _name(self, value: bytes, label: str) -> str:
        """The name of a value, which gets one now if it has none."""
        name = self._names.get(value)
        if name is None:
            digest = self._digest(value) if self._digest else ""
            name = self._before.get((label, digest)) if digest else None
            if name is None or self._values[name] is not None:
                name = self._new_name(label)
            self._names[value] = name
            self._values[name] = value
            if digest:
                self._unnoted[name] = digest
            if not self._veils:
                self._remarks.append(
                    f"a secret ({label.lower().replace('_', ' ')}) goes to the model: secrets.vault is warn"
                )
            if label != _LITERAL and is_distinct(value):
                self._learn(value, label)
        return name

    def _new_name(self, label: str) -> str:
        number = self._numbers.get(label, 0) + 1
        while f"{label}_{number}" in self._values:
            number += 1
        self._numbers[label] = number
        return f"{label}_{number}"

    def _learn(self, value: bytes, label: str) -> None:
        if value in self._known:
            return
        self._clean.clear()
        self._known.add(value, label)
        for word, form in encoded_forms(value):
            self._known.add(form, f"{label}_{word}")

    def _restored(self, found: re.Match[str]) -> str:
        value = self._values.get(found[1])
        if value is None:
            raise NotHeld(found[0])
        return value.decode("utf-8", "surrogatepass")

    def _watch_chance(self, data: bytes) -> None:
        if self._is_watching_chance and random_run(data):
            self._is_watching_chance = False
            self._remarks.append(
                "something that may be a secret is not veiled: it looks random and has no known form "
                "(if it is one, name its variable in secrets.names)"
            )


def is_distinct(value: bytes) -> bool:
    """Whether a value may be veiled wherever it stands: in no text would it mean anything else."""
    if len(value) < _SHORTEST_KNOWN or is_plain(value):
        return False
    if has_digit(value) and has_letter(value):
        return True
    if not has_letter(value):
        return len(value) >= _SEVERAL and len(set(value)) > 4
    mixed = value.lower() != value and value.upper() != value
    return len(value) >= (12 if mixed or not value.isalpha() else 16)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _label(name: str) -> str:
    label = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return label if label[:1].isalpha() else f"SECRET_{label}".rstrip("_")


def _explains(span: Found, known: Found) -> bool:
    """Whether what was found is a known value, and what is left of it is no more than what happens to stand around it."""
    start, end, _ = span
    inside = start <= known[0] and known[1] <= end
    return inside and end - start - (known[1] - known[0]) < _LEAST_LEFT


def _apart(spans: Iterable[Found]) -> Iterator[Found]:
    """In their order, those that overlap as one, which goes by the name of the longest."""
    standing: Found | None = None
    longest = 0
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if standing is None or start >= standing[1]:
            if standing:
                yield standing
            standing, longest = (start, end, name), end - start
            continue
        if end - start > longest:
            longest = end - start
        else:
            name = standing[2]
        standing = (standing[0], max(standing[1], end), name)
    if standing:
        yield standing
