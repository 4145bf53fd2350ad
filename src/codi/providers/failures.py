"""What a service's refusal means: its status, headers and body become an error with a hint.

Services say the same thing in many ways: by status, by an error type in a body, by words. What kind of failure it is
decides whether it is tried again, whether the conversation is shortened, and what the person is told. A body stands in a
message only in part, and never with what looks like a key.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from codi.protocol.errors import (
    BadRequest,
    CodiError,
    ContextOverflow,
    CredentialError,
    KeyRefused,
    MalformedAnswer,
    NotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    Refused,
    ServerFailed,
    ToolsUnsupported,
)

LONGEST_WAIT_S = 300.0
"""A longer wait is no pause but a usage limit."""

_CAUSE_LIMIT = 400

_KINDS: dict[str, type[CodiError]] = {
    "authentication_error": CredentialError,
    "billing_error": QuotaExhausted,
    "api_error": ServerFailed,
    "context_length_exceeded": ContextOverflow,
    "context_window_exceeded": ContextOverflow,
    "insufficient_quota": QuotaExhausted,
    "internal": ServerFailed,
    "internal_error": ServerFailed,
    "internal_server_error": ServerFailed,
    "invalid_api_key": CredentialError,
    "invalid_authentication": CredentialError,
    "invalid_argument": BadRequest,
    "invalid_prompt": BadRequest,
    "invalid_request_error": BadRequest,
    "model_context_window_exceeded": ContextOverflow,
    "model_not_found": NotFound,
    "deploymentnotfound": NotFound,
    "not_found": NotFound,
    "not_found_error": NotFound,
    "overloaded": Overloaded,
    "overloaded_error": Overloaded,
    "permission_denied": CredentialError,
    "permission_error": CredentialError,
    "rate_limit_error": RateLimited,
    "rate_limit_exceeded": RateLimited,
    "request_too_large": ContextOverflow,
    "resource_exhausted": RateLimited,
    "server_error": ServerFailed,
    "server_is_overloaded": Overloaded,
    "slow_down": Overloaded,
    "string_above_max_length": ContextOverflow,
    "timeout_error": ServerFailed,
    "tokens_exceeded": ContextOverflow,
    "too_many_requests": RateLimited,
    "unauthenticated": CredentialError,
    "unavailable": Overloaded,
    "usage_limit_reached": QuotaExhausted,
    "usage_not_included": QuotaExhausted,
    "content_filter": Refused,
}

# Patterns are compiled with the first failure: there may be none.
_TOO_LONG = (
    r"(?i)prompt is too long|prompt too long|context[ _-]length|maximum context|context[ _-]window|context limit|context size|"
    r"input token count|input is too long|input length .*exceed|maximum (?:number of )?(?:input )?tokens|"
    r"exceeds? the (?:model'?s? )?(?:token|input) limit|reduce the length of|maximum prompt length|too many tokens|"
    r"request_too_large|larger than the maximum (?:size|tokens)"
)
_NO_TOOLS = (
    r"(?i)(?:does(?: not|n't)|do(?: not|n't)|cannot) support (?:native )?(?:the )?(?:`|')?(?:tools?|tool[ _-](?:use|calls?|calling|choice)|function[ _-]?call(?:s|ing)?|functions)\b"
    r"|\b(?:tools?|tool[ _-](?:use|calls?|calling|choice)|function[ _-]?call(?:s|ing)?|functions)(?:`|'|\")?"
    r" (?:is|are) (?:not|un)[ -]?(?:yet )?(?:supported|enabled|available|allowed)"
    r"|no endpoints? found that supports? tool"
    r"|requires --enable-auto-tool-choice|tools param requires --jinja"
    r"|unsupported parameter:? (?:`|'|\")?(?:tools|tool_choice|functions)\b"
)
"""That a model takes no tools, in the words of Ollama, vLLM, llama.cpp, OpenRouter, Groq, Mistral, Gemini and OpenAI."""

_BAD_KEY = r"(?i)api[ _-]?key (?:not valid|invalid|expired|not found)|api_key_invalid"
_OUT_OF_MONEY = (
    r"(?i)credit balance is too low|insufficient (?:quota|credits|balance|funds)|exceeded your current quota"
    r"|billing (?:hard )?limit|usage limit (?:reached|exceeded)"
)
_SECRET = r"(?i:bearer)\s+[\w.~+/=-]{8,}|\b(?:sk|pk|rk|gsk|xai|key|pplx|nvapi|hf|r8|AIza|ya29|gh[pousr]|github_pat|eyJ)[-_.]?[\w*.-]{10,}"
_ADDRESS = r"https?://\S+"
"""Explanations point to pages whose names say more than the failure is."""

_TITLE = rb"(?is)<title[^>]*>(.*?)</title"
_DURATION = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$"


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    key_source: str = "",
    *,
    now: float | None = None,
) -> CodiError:
    """The error behind an answer of `status` >= 300: a ProviderError, or CredentialError where the key was refused.
    `headers` have lower-case names, `key_source` names the variable or place of the key, `now` is seconds since 1970."""
    kinds, cause = _said(headers.get("content-type", ""), body)
    if status < 400 and (target := headers.get("location", "")):
        cause = f"it redirects to {without_secrets(target)}"
    wait_s = retry_after_s(headers, body, time.time() if now is None else now)
    request = headers.get("request-id") or headers.get("x-request-id") or headers.get("apim-request-id") or ""
    return _error(_class_of(status, kinds, cause), service, cause, key_source, status, wait_s, request)


def in_answer(error: object, service: str, key_source: str = "") -> CodiError:
    """The error behind the `error` that a service put into a stream or a body of status 200, decoded from JSON."""
    kinds, cause = _described(error)
    status = next((int(kind) for kind in kinds if kind.isdecimal() and 400 <= int(kind) < 600), None)
    kind = _class_of(status, kinds, cause)
    if kind is BadRequest and status is None and not any(word in _KINDS for word in kinds):
        kind = ServerFailed  # it had accepted the request: what fails afterwards, unnamed, is the service's own
    return _error(kind, service, cause, key_source, status, None, "")


def in_body(body: bytes, service: str, key_source: str = "") -> CodiError | None:
    """The error that a body of status 200 is, or None where it is none."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict) and said.get("error"):
        return in_answer(said, service, key_source)
    return None


def no_answer(content_type: str, body: bytes, service: str) -> MalformedAnswer:
    """Status 200, but a page or something else that no model says."""
    _, cause = _said(content_type, body)
    kind = content_type.partition(";")[0] or "an unnamed type"
    return MalformedAnswer(
        f"{service} answered with {kind} instead of a model's reply" + (f": {cause}" if cause else ""),
        hint="Check the base URL, and whether a proxy or a login page stands in between.",
    )


def retry_after_s(headers: Mapping[str, str], body: bytes, now: float) -> float | None:
    """Seconds that the service asks to wait, by whichever of the usual ways it says so; None if it does not."""
    if (wait := _seconds(headers.get("retry-after-ms", ""), now)) is not None:
        return wait / 1000
    if text := headers.get("retry-after", ""):
        wait = _seconds(text, now)
        if wait is None:
            wait = _until_date(text, now)
        if wait is not None:
            return wait
    if found := re.search(rb'"retryDelay"\s*:\s*"([\d.]+)s"', body):
        return float(found[1])
    resets = dict(_resets(headers, now))
    if not resets:
        return None
    used_up = [wait for name, wait in resets.items() if _remaining(headers, name) == 0]
    return max(used_up) if used_up else min(resets.values())


def duration_text(seconds: float) -> str:
    """`45 s`, `12 min`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def clock_time(wait_s: float) -> str:
    """The time of day when this wait is over; with the date where that is not soon."""
    at = time.localtime(time.time() + wait_s)
    return time.strftime("%H:%M" if wait_s < 12 * 3600 else "%Y-%m-%d %H:%M", at)


def filtered_categories(results: object) -> list[str]:
    """The categories for which Azure's content filter stopped a prompt or an answer, from its `content_filter_results`."""
    found = results.items() if isinstance(results, Mapping) else ()
    return [str(name) for name, one in found if isinstance(one, Mapping) and one.get("filtered") is True]


def without_secrets(text: str) -> str:
    """One line of at most a few hundred characters in which nothing looks like a key."""
    line = " ".join(re.sub(_SECRET, "[redacted]", text[: 8 * _CAUSE_LIMIT]).split())
    return line if len(line) <= _CAUSE_LIMIT else line[: _CAUSE_LIMIT - 1] + "…"


def _class_of(status: int | None, kinds: tuple[str, ...], cause: str) -> type[CodiError]:
    too_long = re.search(_TOO_LONG, re.sub(_ADDRESS, "", cause)) is not None
    if status in (None, 400, 404, 405, 422, 500, 501) and re.search(_NO_TOOLS, cause):
        return ToolsUnsupported
    match status:
        case 401 | 403:
            return CredentialError
        case 402:
            return QuotaExhausted
        case 404:
            return NotFound
        case 413:
            return ContextOverflow
        case 429:
            out_of_money = re.search(_OUT_OF_MONEY, cause) and "RESOURCE_EXHAUSTED".lower() not in kinds
            return QuotaExhausted if out_of_money or QuotaExhausted in map(_KINDS.get, kinds) else RateLimited
        case 529:
            return Overloaded
        case 408 | 409 | 425:
            return ServerFailed
        case int() if status >= 500:
            if too_long and status == 500:  # local servers fail so when the window is full
                return ContextOverflow
            return Overloaded if Overloaded in map(_KINDS.get, kinds) or "overloaded" in cause.lower() else ServerFailed
    if re.search(_BAD_KEY, cause):
        return CredentialError
    if too_long:
        return ContextOverflow
    if re.search(_OUT_OF_MONEY, cause):
        return QuotaExhausted
    named = [_KINDS[kind] for kind in kinds if kind in _KINDS]
    if status is not None:
        # What was refused with a 4xx is refused again, whatever the service calls it (Ollama: `api_error` for all).
        named = [kind for kind in named if kind is not ServerFailed]
    # The narrower name wins: `invalid_request_error` often stands beside a code that says what was invalid.
    return next((kind for kind in named if kind is not BadRequest), BadRequest)


def _error(
    kind: type[CodiError],
    service: str,
    cause: str,
    key_source: str,
    status: int | None,
    wait_s: float | None,
    request: str,
) -> CodiError:
    where = ", ".join(filter(None, (str(status) if status else "", f"request {request}" if request else "")))
    tail = (f" ({where})" if where else "") + (f": {cause}" if cause else "")
    if kind is CredentialError:
        return _refused_key(service, key_source, tail)
    if kind in (RateLimited, Overloaded, ServerFailed) and wait_s is not None and wait_s > LONGEST_WAIT_S:
        kind = QuotaExhausted
    another = "or choose another model with /model."
    if kind is RateLimited:
        hint = f"Wait {duration_text(wait_s)}, {another}" if wait_s else f"Try again in a minute, {another}"
        return RateLimited(
            f"{service} limits the rate of requests{tail}", hint=hint, status=status, retry_after_s=wait_s
        )
    if kind is QuotaExhausted:
        free = f"free again in {duration_text(wait_s)}, at {clock_time(wait_s)}" if wait_s else ""
        text = f"{service}: the usage limit is reached" + (f", {free}" if free else "") + tail
        hint = (
            f"Wait until it is {free}, {another}" if free else f"Check the plan and credits of the account, {another}"
        )
        return QuotaExhausted(text, hint=hint, status=status, retry_after_s=wait_s)
    if kind is Overloaded:
        hint = f"Try again in a moment, {another}"
        return Overloaded(f"{service} is overloaded{tail}", hint=hint, status=status, retry_after_s=wait_s)
    if kind is ServerFailed:
        hint = f"Try again in a moment, {another}"
        return ServerFailed(f"{service} failed{tail}", hint=hint, status=status, retry_after_s=wait_s)
    if kind is ContextOverflow:
        hint = "Shorten the conversation with /compact, or choose a model with a larger window."
        return ContextOverflow(
            f"the conversation is too long for the model of {service}{tail}", hint=hint, status=status
        )
    if kind is NotFound:
        hint = "See `codi models` for the names that are served, and check the base URL."
        return NotFound(f"{service} does not know this model or address{tail}", hint=hint, status=status)
    if kind is Refused:
        hint = "Say it differently, or choose another model with /model."
        return Refused(f"{service} will not answer this{tail}", hint=hint, status=status)
    if kind is ToolsUnsupported:
        hint = "Let codi describe its tools in words (tools.text_calls = auto), go without (--no-tools), or choose another model."
        return ToolsUnsupported(f"{service} takes no tools for this model{tail}", hint=hint, status=status)
    hint = "Check the model and its settings with `codi models`; `--debug` shows the request."
    if status is not None and status < 400:
        hint = (
            "Give as base URL the address where it leads, if it is the right one: no key is sent on to another address."
        )
    return BadRequest(f"{service} does not accept the request{tail}", hint=hint, status=status)


def _refused_key(service: str, key_source: str, tail: str) -> KeyRefused:
    if not key_source:
        return KeyRefused(
            f"{service} wants a key, and none was accepted{tail}", hint=f"Run `codi auth login {service}`."
        )
    if key_source.startswith("the login"):
        return KeyRefused(f"{key_source} was refused{tail}", hint=f"Run `codi auth login {service}`.")
    return KeyRefused(
        f"the key in {key_source} was refused{tail}",
        hint=f"Put a valid key into {key_source}, or run `codi auth login {service}`.",
    )


def _said(content_type: str, body: bytes) -> tuple[tuple[str, ...], str]:
    start = body[:200].lstrip().lower()
    if "html" in content_type or start.startswith((b"<!doctype html", b"<html")):
        title = re.search(_TITLE, body[:65536])
        return (), without_secrets(title[1].decode("utf-8", "replace")) if title else "an HTML page without a title"
    try:
        return _described(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError):
        return (), without_secrets(body[: 8 * _CAUSE_LIMIT].decode("utf-8", "replace"))


def _described(said: Any) -> tuple[tuple[str, ...], str]:
    """The words of a JSON error that name its kind, in lower case, and the one that explains it."""
    if isinstance(said, list):
        said = said[0] if said else {}
    if isinstance(said, dict) and isinstance(said.get("response"), dict) and said["response"].get("error"):
        said = said["response"]
    error = said.get("error") if isinstance(said, dict) and said.get("error") else said
    if isinstance(error, str):
        return (), without_secrets(error)
    if not isinstance(error, dict):
        return (), ""
    kinds = [str(error[name]).lower() for name in ("type", "code", "status") if error.get(name)]
    inner = error.get("innererror")
    filtered: list[str] = []
    if isinstance(inner, dict):
        if inner.get("code"):
            kinds.append(str(inner["code"]).lower())
        filtered = filtered_categories(inner.get("content_filter_result") or inner.get("content_filter_results"))
    message = error.get("message") or error.get("detail") or error.get("msg") or ""
    if not message and kinds:
        message = " ".join(kinds)
    if filtered:
        message = f"filtered for {', '.join(filtered)}: {message}"
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):  # a router quotes the service behind it
        message = f"{message}: {metadata['raw']}"
    return tuple(kinds), without_secrets(message if isinstance(message, str) else msgspec.json.encode(message).decode())


def _resets(headers: Mapping[str, str], now: float) -> Iterator[tuple[str, float]]:
    for name, text in headers.items():
        if name.startswith("x-ratelimit-reset") or (
            name.startswith("anthropic-ratelimit-") and name.endswith("-reset")
        ):
            wait = _seconds(text, now)
            if wait is None:
                wait = _until_stamp(text, now)
            if wait is not None:
                yield name, wait


def _remaining(headers: Mapping[str, str], reset: str) -> float | None:
    text = headers.get(reset.replace("reset", "remaining"), "")
    return float(text) if text.isdecimal() else None


def _seconds(text: str, now: float) -> float | None:
    """A number of seconds, a moment as seconds or milliseconds since 1970, or a duration as in `6m0s`."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        found = re.match(_DURATION, text) if text else None
        if not found:
            return None
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000
    if number != number or number in (float("inf"), float("-inf")):
        return None
    if number > 1e11:
        number = number / 1000 - now
    elif number > 1e9:
        number -= now
    return max(number, 0.0)


def _until_date(text: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime  # loads the mail package: rarely wanted

    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _until_stamp(text: str, now: float) -> float | None:
    from datetime import datetime

    try:
        return max(datetime.fromisoformat(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
