"""What the services' caches would read and write is computed as they do."""

import copy

import pytest
from asking import BY_NAME, Client, following
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.lab.exchange import Segment
from codi.lab.prefix_cache import PrefixCache, tokens_of
from codi.lab.running import running


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def row(*sizes, marks=(), ttl_s=300.0):
    return [Segment(bytes([65 + at]) * size * 4, at in marks, ttl_s) for at, size in enumerate(sizes)]


def test_tokens_are_a_quarter_of_the_bytes_rounded_up():
    assert [tokens_of(b"x" * size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]


def test_what_is_marked_is_written_once_and_then_read():
    cache = PrefixCache()
    first = cache.marked("m", row(2000, 500, 30, marks=(0, 1)))
    again = cache.marked("m", row(2000, 500, 40, marks=(0, 1)))
    assert (first.read, first.written, first.input) == (0, 2500, 30)
    assert (again.read, again.written, again.input) == (2500, 0, 40)


def test_a_breakpoint_that_moves_on_reads_up_to_where_it_stood():
    cache = PrefixCache()
    cache.marked("m", row(2000, 500, marks=(1,)))
    grown = cache.marked("m", row(2000, 500, 70, 30, marks=(3,)))
    assert (grown.read, grown.written, grown.input) == (2500, 100, 0)


def test_no_prefix_is_found_further_than_twenty_segments_back():
    cache = PrefixCache()
    cache.marked("m", row(2000, marks=(0,)))
    assert cache.marked("m", row(2000, *[1] * 19, marks=(19,))).read == 2000
    cache = PrefixCache()
    cache.marked("m", row(2000, marks=(0,)))
    assert cache.marked("m", row(2000, *[1] * 20, marks=(20,))).read == 0


def test_short_prefixes_other_models_and_changed_ones_are_not_read():
    cache = PrefixCache()
    assert cache.marked("m", row(1000, marks=(0,))).written == 0
    cache.marked("m", row(2000, 50, marks=(0, 1)))
    assert cache.marked("n", row(2000, 50, marks=(0, 1))).read == 0
    changed = [row(2000)[0]._replace(content=b"z" * 8000, breakpoint=True), *row(2000, 50, marks=(1,))[1:]]
    assert cache.marked("m", changed).read == 0


def test_what_is_kept_grows_old_unless_it_is_read():
    clock = Clock()
    cache = PrefixCache(clock=clock)
    cache.marked("m", row(2000, marks=(0,)))
    for _ in range(3):
        clock.now += 200
        assert cache.marked("m", row(2000, marks=(0,))).read == 2000
    clock.now += 301
    assert cache.marked("m", row(2000, marks=(0,))).written == 2000


def test_an_hour_is_billed_apart():
    clock = Clock()
    cache = PrefixCache(clock=clock)
    billed = cache.marked("m", row(2000, marks=(0,), ttl_s=3600.0))
    assert (billed.written, billed.written_1h) == (2000, 2000)
    clock.now += 3000
    assert cache.marked("m", row(2000, marks=(0,), ttl_s=3600.0)).read == 2000


def test_automatic_caches_read_in_steps():
    cache = PrefixCache()
    assert cache.automatic("m", row(1500, 20), step=128).read == 0
    again = cache.automatic("m", row(1500, 20, 77), step=128)
    assert (again.read, again.input) == (1520 // 128 * 128, 1597 - 1520 // 128 * 128)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3000), min_size=1, max_size=6), min_size=1, max_size=5), st.data())
def test_every_token_is_billed_once(requests, data):
    marked, automatic = PrefixCache(), PrefixCache()
    for sizes in requests:
        marks = data.draw(st.sets(st.integers(0, len(sizes) - 1), max_size=4))
        for billed in (marked.marked("m", row(*sizes, marks=marks)), automatic.automatic("m", row(*sizes))):
            assert billed.prompt == sum(sizes)
            assert min(billed.input, billed.read, billed.written) >= 0
            assert billed.written_1h <= billed.written


CALLS = [{"name": "read", "arguments": {"path": "a"}}]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("anthropic-messages", lambda answer: answer["usage"]["cache_read_input_tokens"]),
        ("openai-chat", lambda answer: answer["usage"]["prompt_tokens_details"]["cached_tokens"]),
        ("openai-responses", lambda answer: answer["usage"]["input_tokens_details"]["cached_tokens"]),
        ("google", lambda answer: answer["usageMetadata"].get("cachedContentTokenCount", 0)),
    ],
)
def test_the_second_request_of_a_conversation_reads_the_first(name, read):
    form = BY_NAME[name]
    form = form._replace(body=copy.deepcopy(form.body))
    long = "x" * 8000
    match name:
        case "anthropic-messages":
            form.body["system"][0] = {"type": "text", "text": long, "cache_control": {"type": "ephemeral"}}
        case "openai-chat":
            form.body["messages"][0]["content"] = long
        case "openai-responses":
            form.body["instructions"] = long
        case "google":
            form.body["systemInstruction"]["parts"][0]["text"] = long
    with running({"loop": True, "steps": [{"text": "a", "calls": CALLS}]}) as server:
        client = Client(server.url)
        first = client.ask(form).json
        second = client.ask(form, following(form, first, ["result"])).json
    assert read(first) == 0 and read(second) >= 1900


def test_usage_that_the_script_dictates_is_told():
    usage = {"input": 11, "output": 7, "cache_read": 5, "cache_write": 3, "thinking": 2}
    with running({"loop": True, "steps": [{"text": "a", "usage": usage}]}) as server:
        client = Client(server.url)
        anthropic = client.ask(BY_NAME["anthropic-messages"]).json["usage"]
        chat = client.ask(BY_NAME["openai-chat"]).json["usage"]
    assert [
        anthropic[f"{name}_tokens"] for name in ("input", "output", "cache_read_input", "cache_creation_input")
    ] == [11, 7, 5, 3]
    assert (chat["prompt_tokens"], chat["completion_tokens_details"]["reasoning_tokens"]) == (19, 2)
