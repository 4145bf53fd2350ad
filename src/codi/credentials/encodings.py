"""The other forms in which a secret travels: in base64, in a URL, in JSON."""

from base64 import b64encode
from collections.abc import Iterator
from json.encoder import encode_basestring, encode_basestring_ascii
from urllib.parse import quote_from_bytes

_LEAST = 6
"""A shorter encoded part is found everywhere."""


def encoded_forms(value: bytes) -> Iterator[tuple[str, bytes]]:
    """What may stand for `value` besides itself, each with a word for how it is encoded. Base64 depends on where in the
    encoded text the value begins: there are three ways, of each the part that the value alone decides."""
    seen = {value}
    for word, form in (*_in_base64(value), *_in_urls(value), *_in_json(value)):
        if form not in seen and len(form) >= _LEAST:
            seen.add(form)
            yield word, form


def _in_base64(value: bytes) -> Iterator[tuple[str, bytes]]:
    for before in range(3):
        encoded = b64encode(b"\0" * before + value).rstrip(b"=")
        # The first characters hold bits of what stands before, the last one perhaps bits of what stands behind.
        first = (before * 8 + 5) // 6
        last = (before + len(value)) * 8 // 6
        core = encoded[first:last]
        yield "BASE64", core
        yield "BASE64", core.translate(bytes.maketrans(b"+/", b"-_"))


def _in_urls(value: bytes) -> Iterator[tuple[str, bytes]]:
    for safe in ("", "/", "/:@!$&'()*+,;="):
        encoded = quote_from_bytes(value, safe=safe)
        yield "URL", encoded.encode()
        yield "URL", _lower_escapes(encoded).encode()
        if "%20" in encoded:
            yield "URL", encoded.replace("%20", "+").encode()


def _lower_escapes(encoded: str) -> str:
    head, *rest = encoded.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _in_json(value: bytes) -> Iterator[tuple[str, bytes]]:
    text = value.decode("utf-8", "surrogatepass")
    for form in (encode_basestring(text)[1:-1], encode_basestring_ascii(text)[1:-1]):
        yield "JSON", form.encode("utf-8", "surrogatepass")
        yield "JSON", form.replace("/", "\\/").encode("utf-8", "surrogatepass")
