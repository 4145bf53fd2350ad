"""Secrets that are known by what stands around them: assignments, headers, addresses, private keys.

Much of what is assigned to a `password` in source code is no secret but a name, a call or a label. So a value is taken only if
no name of a program could look like it; what is left out here is still found where it is a known value.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

Found = tuple[int, int, str]
"""Where it begins and ends, and its name."""

FOLDED = bytes(
    ord("=") if byte in b"\"':= \t`\\>" else ord("_") if byte == 45 else byte + 32 if 65 <= byte <= 90 else byte
    for byte in range(256)
)
"""How a text is looked through: letters small, `-` as `_`, and what may stand behind the name of a value as `=`."""

_DUMMIES = frozenset(
    b"password passwd passphrase passwort secret token changeme change_me change-me example test testing dummy none null "
    b"undefined true false user username pass pwd root admin redacted removed hidden foo bar foobar secret123 your_password "
    b"yourpassword mypassword xxx string apikey api_key".split()
)
_QUALIFIED = (
    b"api",
    b"access",
    b"secret",
    b"private",
    b"auth",
    b"encryption",
    b"signing",
    b"account",
    b"shared",
    b"master",
    b"service",
    b"storage",
    b"license",
    b"deploy",
)
"""What makes of a `key` one that is secret."""

_ASSIGNED = rb"""
    \\?["'`]?[\ \t]{0,8}(?:=>|:=|=|:)[\ \t]{0,8}
    (?: (?:[bBrRfFuU]{1,2}(?=["']))? \\?(?P<mark>["'`]) (?P<quoted>[^\s"'`\\]{4,512}) \\?(?P=mark)
      | (?P<bare>[^\s"'`,;&|<>(){}\[\]\\$]{4,512}+) (?![(\[{$<]) )
"""
_AFTER_A_SPACE = rb"""["']?[ \t]+["']?(?P<bare>[^\s"'`,;&|<>(){}\[\]\\$-][^\s"'`,;&|<>(){}\[\]\\$]{3,512})"""
_BEARER = rb"""["']?[ \t:=]{1,4}["']?(?P<bare>[A-Za-z0-9._~+/-]{16,}={0,2})"""
_BASIC = rb"""[ \t]{1,4}(?P<bare>[A-Za-z0-9+/]{8,}={0,2})"""
_USERINFO = rb"""
    (?P<user>[^\s/:@"'`<>?\#\\]{0,128}) : (?P<bare>[^\s/@"'`<>\\?\#]{1,256}) @ [\w\[%]
  | (?P<alone>[A-Za-z0-9_~-]{20,}) @ [\w\[%]
  | hooks\.slack\.com/(?:services|workflows)/(?P<hook>[\w/-]{20,})
  | (?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/(?P<discord>[\w-]{20,})
"""
_HOOKS = b"hooks"
_MOST_BEFORE_HOST = 2048
_CURL = rb"""[^\n|;&]{0,400}?[ ](?:-u|--user|--proxy-user)[ =]?["']?[^\s:"'$]{1,128}:(?P<bare>[^\s"'$]{4,256})"""
_KEY_BEGINS = rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_KEY_LINE = rb"\\+[nr]|(?P<line>[A-Za-z0-9+/]{16,}={0,2})|(?P<last>[A-Za-z0-9+/]{1,15}={0,2})(?=[\s\\nr\"']{1,8}(?:=[A-Za-z0-9+/]{4}\s+)?-----END)"
_KEY_BYTES = 16 * 1024
_UNFINISHED = rb"""(?ix)
    (?<![^\s"'`,;&|<>(){}\[\]]) [^\s"'`,;&|<>(){}\[\]]{0,80}
    (?:passw\w*|passphrase|pwd|secret|token|key|bearer|basic|authorization) \\?["'`]?[ \t]*(?:=>?|:=?)?[ \t]*
    (?:bearer|basic|token)?[ \t]*["'`]?[^\s]*\Z
  | \bcurl[ ][^\n]*\Z
"""
_MOST_OF_A_LINE = 4096

_KEY_BEGIN, _KEY_END = b"-----BEGIN", b"-----END"


@cache
def compiled(pattern: bytes, flags: int = 0) -> re.Pattern[bytes]:
    """Compiled when first needed: most starts meet nothing that looks like a secret."""
    return re.compile(pattern, flags)


def in_surroundings(data: bytes) -> Iterator[Found]:
    folded = data.translate(FOLDED)
    for word, check in _WORDS:
        at = folded.find(word)
        while at >= 0:
            end = at + len(word) - 1
            yield from check(data, folded, at, end)
            at = folded.find(word, end)
    at, sign = data.find(b"://"), data.find(b"@")
    has_hooks = _HOOKS in data
    while at >= 0:
        if 0 <= sign < at:
            sign = data.find(b"@", at)
        if has_hooks or 0 <= sign < at + _MOST_BEFORE_HOST:
            yield from _in_address(data, at + 3)
        at = data.find(b"://", at + 3)
    at = data.find(_KEY_BEGIN)
    while at >= 0:
        yield from _in_key(data, at)
        at = data.find(_KEY_BEGIN, at + 1)


def unfinished_from(tail: bytes) -> int:
    """Where in the end of a text something begins that may become a secret with what follows; its length where nothing does.
    For a text of which more is to come."""
    line = tail[max(tail.rfind(b"\n") + 1, len(tail) - _MOST_OF_A_LINE) :]
    folded = line.translate(FOLDED)
    at = len(tail)
    if any(stem in folded for stem in _STEMS) and (found := compiled(_UNFINISHED).search(line)):
        at -= len(line) - found.start()
    begun = tail.rfind(_KEY_BEGIN)
    is_open = begun >= 0 and tail.find(_KEY_END, begun) < 0
    if is_open and (tail.find(b"\n", begun) < 0 or compiled(_KEY_BEGINS).match(tail, begun)):
        at = min(at, begun)
    return at


def is_plain(value: bytes) -> bool:
    """Whether nobody would call this a secret: a stand-in, a reference, a word."""
    folded = value.lower()
    return (
        folded in _DUMMIES
        or len(set(value)) < 4
        or value[:1] in b"$<%*{"
        or b"example" in folded
        or folded.startswith((b"your", b"my_", b"xxx", b"change"))
    )


def has_digit(value: bytes) -> bool:
    return any(48 <= byte <= 57 for byte in value)


def has_letter(value: bytes) -> bool:
    return any(65 <= byte & 0xDF <= 90 for byte in value)


def _password(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    if folded.startswith(b"passw", at):
        end = next(
            (
                end
                for word in (b"password", b"passwort", b"passwd")
                if folded.startswith(word, at)
                for end in [at + len(word)]
            ),
            0,
        )
        if not end:
            return
    before = folded[max(0, at - 160) : at]
    is_flag = before.endswith(b"__") or b"=login=" in before
    found = _value(data, end, after_a_space=is_flag)
    if found and _is_password(found[2], quoted=found[3]):
        yield found[0], found[1], "PASSWORD"


def _pass(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    if folded.startswith(b"passw", at):
        yield from _password(data, folded, at, end + 1)
    elif folded.startswith(b"passphrase=", at):
        yield from _passphrase(data, folded, at, at + len(b"passphrase"))


def _passphrase(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    for start, stop, name in _password(data, folded, at, end):
        if any(sign in data[end:start] for sign in b"=\"'"):  # behind a colon alone it is more often prose
            yield start, stop, name


def _is_password(value: bytes, *, quoted: bool) -> bool:
    if len(value) < 6 or is_plain(value):
        return False
    if quoted:
        mixed = value.lower() != value and value.upper() != value
        return has_digit(value) or any(sign in value for sign in b"!@#$%^&*+~?=") or (mixed and len(value) >= 12)
    return value[:1] not in b"!@&#" and (has_digit(value) or any(sign in value for sign in b"!@#%^*~"))


def _token(name: str) -> Callable[[bytes, bytes, int, int], Iterator[Found]]:
    def check(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
        is_flag = b"__" in folded[max(0, at - 24) : at]
        found = _value(data, end, after_a_space=is_flag)
        if found and _is_token(found[2]):
            yield found[0], found[1], name

    return check


def _is_token(value: bytes) -> bool:
    """Long, and of letters and digits as no word or name is."""
    if len(value) < 16 or is_plain(value) or not (has_digit(value) and has_letter(value)):
        return False
    if any(sign in value for sign in (b"://", b"..")) or value[:1] in b"/.@!&#":
        return False
    digits = sum(48 <= byte <= 57 for byte in value)
    return digits >= 3 and len(set(value)) >= 8


_as_secret, _as_token, _as_key = _token("SECRET"), _token("TOKEN"), _token("API_KEY")


def _key(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    if folded[max(0, at - 12) : at].rstrip(b"_").endswith(_QUALIFIED):
        yield from _as_key(data, folded, at, end)


def _bearer(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    found = compiled(_BEARER).match(data, end)
    if found and has_digit(found["bare"]) and has_letter(found["bare"]) and not is_plain(found["bare"]):
        yield *found.span("bare"), "BEARER_TOKEN"


def _basic(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    if b"authorization" in folded[max(0, at - 24) : at] and (found := compiled(_BASIC).match(data, end)):
        yield *found.span("bare"), "BASIC_CREDENTIALS"


def _curl(data: bytes, folded: bytes, at: int, end: int) -> Iterator[Found]:
    found = compiled(_CURL).match(data, end)
    if found and not is_plain(found["bare"]):
        yield *found.span("bare"), "PASSWORD"


_WORDS: tuple[tuple[bytes, Callable[[bytes, bytes, int, int], Iterator[Found]]], ...] = (
    (b"pass", _pass),
    (b"pwd=", _password),
    (b"secret=", _as_secret),
    (b"token=", _as_token),
    (b"key=", _key),
    (b"bearer=", _bearer),
    (b"basic=", _basic),
    (b"curl=", _curl),
)
_STEMS = tuple(word.rstrip(b"=") for word, _ in _WORDS)


def _value(data: bytes, at: int, *, after_a_space: bool = False) -> tuple[int, int, bytes, bool] | None:
    """What is assigned to the name that ends here: its place, itself, and whether it is in quotes."""
    found = compiled(_ASSIGNED, re.VERBOSE).match(data, at)
    if found is None and after_a_space:
        found = compiled(_AFTER_A_SPACE).match(data, at)
    if found is None:
        return None
    group = "quoted" if found.groupdict().get("quoted") is not None else "bare"
    start, end = found.span(group)
    value = found[group]
    if group == "bare":
        stripped = value.rstrip(b".:!?")
        value, end = stripped, end - (len(value) - len(stripped))
    return start, end, value, group == "quoted"


def _in_address(data: bytes, at: int) -> Iterator[Found]:
    found = compiled(_USERINFO, re.VERBOSE).match(data, at)
    if found is None:
        return
    group = found.lastgroup or "bare"
    value = found[group]
    if group == "bare" and (len(value) < 3 or is_plain(value) or value == found["user"]):
        return
    if group == "alone" and not (has_digit(value) and has_letter(value)):
        return
    yield *found.span(group), "WEBHOOK" if group in ("hook", "discord") else "URL_PASSWORD"


def _in_key(data: bytes, at: int) -> Iterator[Found]:
    """The lines of a private key, each by itself, so that a text keeps its lines and a part of the key is known again."""
    begun = compiled(_KEY_BEGINS).match(data, at)
    if begun is None:
        return
    most = begun.end() + _KEY_BYTES
    end = data.find(_KEY_END, begun.end(), most)
    if end < 0:
        end = min(len(data), most)
        other = data.find(_KEY_BEGIN, begun.end(), end)
        end = other if other >= 0 else end
    for line in compiled(_KEY_LINE).finditer(data, begun.end(), min(len(data), end + len(_KEY_END))):
        if line.lastgroup and line.end(line.lastgroup) <= end:
            yield *line.span(line.lastgroup), "PRIVATE_KEY"
