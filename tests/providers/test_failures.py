"""What services say when they refuse, and what is made of it."""

import json

import pytest

from codi.protocol.errors import (
    BadRequest,
    ContextOverflow,
    CredentialError,
    KeyRefused,
    NotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
    ToolsUnsupported,
)
from codi.providers.failures import classify, duration_text, in_answer, in_body, no_answer

NOW = 1_700_000_000.0


def error(kind: str, message: str = "why") -> dict:
    return {"type": "error", "error": {"type": kind, "message": message}}


STATUSES = [
    (401, error("authentication_error", "invalid x-api-key"), KeyRefused),
    (403, error("permission_error"), KeyRefused),
    (402, error("billing_error"), QuotaExhausted),
    (404, error("not_found_error", "model: x"), NotFound),
    (408, {}, ServerFailed),
    (409, {}, ServerFailed),
    (425, {}, ServerFailed),
    (413, error("request_too_large"), ContextOverflow),
    (429, error("rate_limit_error"), RateLimited),
    (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}, QuotaExhausted),
    (
        429,
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}},
        RateLimited,
    ),
    (500, error("api_error"), ServerFailed),
    (502, {}, ServerFailed),
    (503, {}, ServerFailed),
    (503, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded."}}, Overloaded),
    (504, {}, ServerFailed),
    (529, error("overloaded_error", "Overloaded"), Overloaded),
    (400, error("invalid_request_error", "Invalid request"), BadRequest),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, BadRequest),
    (400, error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), ContextOverflow),
    (
        400,
        {"error": {"code": "context_length_exceeded", "message": "This model's maximum context length is"}},
        ContextOverflow,
    ),
    (400, {"error": {"code": 400, "message": "The input token count (1500000) exceeds the maximum"}}, ContextOverflow),
    (
        400,
        error("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"),
        ContextOverflow,
    ),
    (400, {"error": "the request exceeds the available context size"}, ContextOverflow),
    (400, {"error": {"status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass one."}}, KeyRefused),
    (400, error("invalid_request_error", "Your credit balance is too low"), QuotaExhausted),
    (400, [{"error": {"code": 400, "message": "an array"}}], BadRequest),
    (400, error("invalid_request_error", "wrong; see https://docs.x/y#context-window-size"), BadRequest),
    (418, {}, BadRequest),
]


@pytest.mark.parametrize("status, body, kind", STATUSES)
def test_each_status_has_its_class_and_a_hint(status, body, kind):
    made = classify(status, {}, json.dumps(body).encode(), "anthropic", "ANTHROPIC_API_KEY", now=NOW)

    assert type(made) is kind
    assert str(status) in str(made) and len(made.hint.split()) > 3
    if not isinstance(made, CredentialError):
        assert made.status == status
        assert made.retriable == (kind in (RateLimited, Overloaded, ServerFailed))


def test_a_model_without_tools_is_told_how_to_go_without():
    made = classify(400, {}, json.dumps(error("api_error", "gemma3 does not support tools")).encode(), "ollama", "")

    assert "--no-tools" in made.hint


def test_a_body_nested_beyond_reading_is_no_bug():
    assert type(classify(500, {}, b"[" * 100_000, "svc", "")) is ServerFailed


def test_a_refused_key_is_named_by_its_place():
    made = classify(401, {}, b"{}", "anthropic", "ANTHROPIC_API_KEY")

    assert str(made).startswith("the key in ANTHROPIC_API_KEY was refused")
    assert "codi auth login anthropic" in made.hint and "ANTHROPIC_API_KEY" in made.hint


def test_a_missing_key_is_no_refused_one():
    assert "codi auth login x" in classify(401, {}, b"", "x").hint


WAITS = [
    ({"retry-after": "2"}, 2.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
    ({"retry-after": "Tue, 14 Nov 2023 22:10:00 GMT"}, 0.0),
    ({"retry-after": "soon"}, None),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
    ({"x-ratelimit-reset-requests": "1m2.5s"}, 62.5),
    ({"x-ratelimit-reset-tokens": "120ms"}, 0.12),
    ({"x-ratelimit-reset": "1700000060"}, 60.0),
    ({"x-ratelimit-reset": "1700000060000"}, 60.0),
    ({"x-ratelimit-reset": "17"}, 17.0),
    ({"anthropic-ratelimit-tokens-reset": "2023-11-14T22:14:20Z"}, 60.0),
    (
        {
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-remaining-requests": "5",
            "x-ratelimit-reset-tokens": "20s",
            "x-ratelimit-remaining-tokens": "0",
        },
        20.0,
    ),
    ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "20s"}, 1.0),
    ({}, None),
]


@pytest.mark.parametrize("headers, wait_s", WAITS)
def test_the_asked_wait_is_read(headers, wait_s):
    made = classify(429, headers, b"{}", "s", now=NOW)

    assert made.retry_after_s == (None if wait_s is None else pytest.approx(wait_s))
    assert type(made) is (QuotaExhausted if wait_s and wait_s > 300 else RateLimited)


def test_a_wait_in_the_body():
    body = b'{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}'

    assert classify(429, {}, body, "google").retry_after_s == 34


def test_a_long_wait_is_a_usage_limit():
    made = classify(429, {"retry-after": "7500"}, b"{}", "s")

    assert type(made) is QuotaExhausted and "2 h 5 min" in str(made) and "2 h 5 min" in made.hint


def test_a_page_shows_its_title():
    page = b"<!DOCTYPE html><html><head><title>502\n Bad   Gateway</title></head><body>" + b"x" * 9000

    assert str(classify(502, {"content-type": "text/html"}, page, "s")).endswith("502 Bad Gateway")
    assert "502 Bad Gateway" in str(no_answer("text/html; charset=utf-8", page, "s"))


def test_no_secret_and_no_long_body_in_a_message():
    keys = [
        "sk-ant-api03-abcdefgh12345678",
        "AIzaSyA1234567890abcdefghij",
        "ghp_abcdefghijklmnop123456",
        "xai-0123456789abcdef",
    ]
    for key in keys:
        made = classify(400, {}, json.dumps(error("x", f"bad {key} and Bearer {key}")).encode(), "s")
        assert key not in str(made) and "[redacted]" in str(made)
    assert len(str(classify(400, {}, b"y" * 100_000, "s"))) < 1000


def test_the_request_id_is_told():
    assert "req_1" in str(classify(500, {"request-id": "req_1"}, b"{}", "s"))


IN_ANSWERS = [
    ({"error": {"type": "overloaded_error", "message": "Overloaded"}}, Overloaded),
    ({"error": {"type": "rate_limit_error", "message": "x"}}, RateLimited),
    ({"error": {"type": "api_error", "message": "x"}}, ServerFailed),
    ({"error": {"type": "invalid_request_error", "message": "prompt is too long"}}, ContextOverflow),
    ({"error": {"type": "invalid_request_error", "message": "x"}}, BadRequest),
    ({"error": {"code": 503, "message": "x"}}, ServerFailed),
    ({"error": {"code": 429, "message": "x"}}, RateLimited),
    ({"error": "model runner stopped"}, ServerFailed),
    ({"response": {"error": {"code": "server_error", "message": "x"}}}, ServerFailed),
]


@pytest.mark.parametrize("said, kind", IN_ANSWERS)
def test_errors_within_an_answer(said, kind):
    assert type(in_answer(said, "s")) is kind


def test_an_error_as_a_body():
    assert type(in_body(b'{"error":{"type":"overloaded_error"}}', "s")) is Overloaded
    assert in_body(b'{"error":null,"output":[]}', "s") is None
    assert in_body(b"no json", "s") is None


@pytest.mark.parametrize("seconds, text", [(0.4, "0 s"), (45, "45 s"), (119, "119 s"), (720, "12 min"), (7200, "2 h")])
def test_durations_are_told(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"error": "registry.ollama.ai/library/gemma:2b does not support tools"}),
        (
            400,
            {
                "error": {
                    "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
                }
            },
        ),
        (500, {"error": {"message": "tools param requires --jinja flag", "type": "server_error"}}),
        (404, {"error": {"message": 'No endpoints found that support tool use. Try disabling "bash".'}}),
        (400, {"error": {"message": "`tool calling` is not supported with this model"}}),
        (400, {"error": {"message": "Function calling is not enabled for models/gemma-3-27b-it"}}),
        (400, {"error": {"message": "Unsupported parameter: 'tools' is not supported with this model."}}),
        (422, {"error": {"message": "This model doesn't support tool use."}}),
    ],
)
def test_that_a_model_takes_no_tools_is_a_class_of_its_own(status, said):
    made = classify(status, {}, json.dumps(said).encode(), "s")

    assert isinstance(made, ToolsUnsupported) and not made.retriable and "text_calls" in made.hint


@pytest.mark.parametrize(
    "said", ["Invalid schema for function 'read': tools[0] is wrong", "tool_choice must be a string"]
)
def test_a_fault_in_the_tools_is_an_ordinary_one(said):
    made = classify(400, {}, json.dumps({"error": {"message": said}}).encode(), "s")

    assert isinstance(made, BadRequest) and not isinstance(made, ToolsUnsupported)
