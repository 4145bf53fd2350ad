"""How much of a window is used: counted by who knows, where an estimate could decide wrongly."""

import json
import re
from pathlib import Path

import pytest

from codi.agent.counting import Counter, framing
from codi.agent.room.calibration import LEAST, Calibration
from codi.protocol.events import MessageAdded, RequestSent
from codi.protocol.messages import user
from codi.protocol.tooling import ToolSpec
from codi.sessions.files import reading_of
from conftest import SHARED, Codi, Run, call, says

RECORDED = SHARED / "fixtures" / "provider-streams"
WORD = "sentences "
LIMIT = 6554
"""Tokens of a window of 8,192 from which on room is made."""

FAIR = {"window": 100_000, "loop": True, "steps": [says("Yes.")]}


def prompted(codi: Codi, tokens: int, *more: str) -> Run:
    """A first prompt of so many tokens by estimate, to a model with a window of 8,192."""
    return codi.stream(WORD * (4 * tokens // len(WORD)), "--context-window", "8192", "--tools", "read", *more)


def is_cut(run: Run) -> bool:
    assert run.status == 0, run
    return any("had to be cut" in line["message"] for line in run.of_type("warning"))


def paths(server) -> list[str]:
    return [request.path for request in server.requests]


@pytest.mark.parametrize(
    ("wire", "counts_at"), [("anthropic", "/v1/messages/count_tokens"), ("google", "/v1beta/models/x:countTokens")]
)
def test_a_service_that_counts_for_nothing_is_asked_near_the_limit(codi: Codi, lab, wire: str, counts_at: str):
    server = lab(FAIR, wire)
    assert not is_cut(prompted(codi, 3000))
    assert counts_at not in paths(server)
    assert not is_cut(prompted(codi, 5700))
    assert paths(server)[-2] == counts_at
    counted = server.requests[-2].json
    asked = counted.get("generateContentRequest", counted)
    assert "tools" in asked and WORD in json.dumps(asked) and "stream" not in counted


def test_what_a_service_counts_decides_and_not_the_estimate(codi: Codi, lab):
    """By estimate it is too much; the service, which adds nothing of its own, says that it is not."""
    server = lab(FAIR)
    run = prompted(codi, 5750)
    (told,) = [entry["data"]["tokens"] for entry in codi.session() if entry.get("customType") == "codi/request"]
    assert told > LIMIT and not is_cut(run)
    assert paths(server) == ["/v1/messages/count_tokens", "/v1/messages"]


def test_a_local_server_counts_with_its_own_tokenizer(codi: Codi, lab):
    server = lab(FAIR, used=False)
    codi.env["CODI_MODEL"] = "llamacpp/x"
    codi.set_up(f"providers.llamacpp.base_url = '{server.url}/v1'")
    assert not is_cut(prompted(codi, 5900))
    counted = server.requests[-2]
    assert counted.path == "/tokenize" and WORD in counted.json["content"]


@pytest.mark.parametrize(
    ("service", "asked_at"), [("llamacpp", "/props"), ("vllm", "/v1/models"), ("lmstudio", "/api/v0/models")]
)
def test_a_local_server_is_asked_for_its_window(codi: Codi, lab, service: str, asked_at: str):
    server = lab({**FAIR, "window": 23_456}, used=False)
    codi.env["CODI_MODEL"] = f"{service}/x"
    codi.set_up(f"providers.{service}.base_url = '{server.url}/v1'")
    assert codi.json("hi").status == 0
    (described,) = [entry["data"] for entry in codi.session() if entry.get("customType") == "codi/model"]
    assert described["window"] == 23_456 and asked_at in paths(server)
    assert paths(server).count("/v1/chat/completions") == 1


@pytest.fixture
def words_as_tokens(tmp_path: Path) -> Path:
    """A `tokenizer.json` of which each word is a token, whatever its length."""
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    words.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def named(codi: Codi, tokenizer: str) -> None:
    codi.set_up(f"[models.mine]\nprovider = 'openai-chat'\nmodel = 'x'\ntokenizer = '{tokenizer}'\n")
    codi.env["CODI_MODEL"] = "mine"


def test_a_tokenizer_that_is_named_counts(codi: Codi, lab, words_as_tokens: Path):
    lab(FAIR, "openai-chat")
    assert is_cut(prompted(codi, 6200))
    named(codi, str(words_as_tokens))
    assert not is_cut(prompted(codi, 6200))


def test_a_tokenizer_that_cannot_be_loaded_is_told_once(codi: Codi, lab, folder: Path):
    lab(FAIR, "openai-chat")
    (folder / "broken.json").write_text("{}")
    named(codi, str(folder / "broken.json"))
    run = prompted(codi, 6200)
    assert is_cut(run)
    assert len([line for line in run.of_type("warning") if "tokens are estimated" in line["message"]]) == 1


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses", "google"])
def test_after_some_replies_an_estimate_is_within_5_percent(codi: Codi, lab, folder: Path, wire: str):
    """Of a conversation with prose, code and data, each service counting in its own way."""
    (folder / "data.json").write_text(json.dumps([{"id": number, "name": f"row {number}"} for number in range(90)]))
    (folder / "code.py").write_text("".join(f"def f{at}(x, y):\n    return x[{at}] + y['k{at}']\n" for at in range(90)))
    looks = [says("I look.", call("read", path=path)) for path in ("data.json", "code.py")]
    steps = [step for _ in range(4) for step in (*looks, says("It is as expected. " * 30))]
    lab({"window": 100_000, "steps": steps}, wire)
    assert codi.json(*(f"Look at both files, please, and compare. {WORD * 20}" for _ in range(4))).status == 0

    entries = reading_of(str(codi.sessions()[0])).entries
    errors = []
    for at, entry in enumerate(entries):
        if not isinstance(entry.fact, RequestSent):
            continue
        said = next(each.fact for each in entries[at:] if isinstance(each.fact, MessageAdded))
        assert said.reply and said.message.origin
        usage, origin = said.reply.usage, said.message.origin
        real = usage.input + usage.cache_read + usage.cache_write
        learned = Calibration.of(entries[:at]).ratio((origin.provider, origin.model))
        errors.append(abs(entry.fact.tokens * learned - real) / real)
    assert len(errors) == 12
    assert max(errors[LEAST + 1 :]) <= 0.05, errors


@pytest.mark.outside
@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded requests beside the project")
def test_estimates_of_recorded_requests_are_within_15_percent():
    """Of the requests that were recorded with what the service counted."""
    counter, pairs = Counter(), []
    for file in sorted(RECORDED.glob("anthropic_*.json")):
        for each in json.loads(file.read_text())["interactions"]:
            said = re.search(r'"input_tokens":(\d+)', "".join(each["response"].get("body_chunks", [])))
            if said is None:
                continue
            body = each["request"]["body"]
            tools = [
                ToolSpec(tool["name"], tool["description"], tool["input_schema"]) for tool in body.get("tools", ())
            ]
            texts = ["\n".join(part["text"] for part in message["content"]) for message in body["messages"]]
            estimate = counter.system([body["system"]], tools) + counter.messages(map(user, texts))
            estimate += framing("anthropic-messages", tools=bool(tools), thinking="thinking" in body)
            pairs.append((estimate, int(said[1]), file.name))
    assert len(pairs) >= 8
    assert [pair for pair in pairs if abs(pair[0] - pair[1]) > 0.15 * pair[1]] == []
    estimated, real = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    assert abs(estimated - real) <= 0.05 * real
