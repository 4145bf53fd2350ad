"""No key is read and then ignored: each is set in the person's file, and what it does is seen from outside."""

import json
from typing import Any

import pytest

from codi.engine.keys import every_key
from codi.lab.running import running
from conftest import call, says

ELSEWHERE = {f"undo.{name}" for name in ("enabled", "quota_mb", "max_file_mb", "exclude", "snapshot_days", "snapshot_count")} | {"model.default", "model.provider", "model.base_url", "sessions.dir", "sessions.catalog", "shell.path", "shell.env"} | {
    "shell.timeout_s", "tools.disabled", "network.offline", "agent.append_system_prompt", "profile", "profiles",
    "agent.evidence", "agent.evidence_retries", "verify", "secrets.vault", "secrets.names", "secrets.detectors",
    "web.engine", "web.searxng_url", "web.duckduckgo", "web.allow_private", "web.cache_ttl_s", "web.max_results",
    *(f"policy.reviewer.{name}" for name in ("model", "tools", "block", "warn", "timeout_s", "on_error")), "policy.dangerous",
    "trust.ask", "trust.inherit", "audit.enabled",
} | {key.name for key in every_key() if key.name.startswith(("context.", "memory.", "ui."))}  # fmt: skip
"""Keys whose effect other tests show: those of the settings and of the choice of a model."""

BUSY = {"fault": {"kind": "status", "status": 529, "times": 3}}

ON_THE_WIRE = {
    "model.temperature": ("model = {temperature = 0.5, thinking = 'off'}", lambda body: body.get("temperature") == 0.5),
    "model.top_p": ("model = {top_p = 0.25, thinking = 'off'}", lambda body: body.get("top_p") == 0.25),
    "model.max_output": ("model.max_output = 1234", lambda body: body["max_tokens"] == 1234),
    "model.cache_retention": ("model.cache_retention = 'none'", lambda body: "cache_control" not in json.dumps(body)),
    "tools.profile": ("tools.profile = 'nano'", lambda body: len(body["tools"]) == 5),
    "agent.system_prompt": ("agent.system_prompt = 'A poet.'", lambda body: "<role>\nA poet.\n</role>" in str_of(body)),
}


def str_of(body: dict[str, Any]) -> str:
    return "".join(block["text"] for block in body["system"])


@pytest.mark.parametrize("key", ON_THE_WIRE)
def test_requests_are_other_ones(codi, lab, key):
    text, is_so = ON_THE_WIRE[key]
    server = lab([says("a"), says("b")])
    codi("-p", "hello")
    codi.set_up(text)
    assert codi("-p", "hello").status == 0
    assert not is_so(server.requests[0].json) and is_so(server.requests[1].json)


def test_thinking(codi, lab):
    server = lab([says("a"), says("b")])
    sent = []
    for level in ("off", "high"):
        codi.set_up(f"model.thinking = '{level}'")
        codi("-p", "hello", "--model", "anthropic/claude-sonnet-4-5")
        sent.append(server.requests[-1].json.get("thinking"))
    assert sent[0] != sent[1]


def test_thoughts_of_another_model(codi, lab):
    server = lab([says("a", thinking="deep thought"), says("b"), says("c", thinking="deep thought"), says("d")])
    for handoff in ("text", "drop"):
        codi.set_up(f"model.handoff_thinking = '{handoff}'")
        codi("-p", "hello", "--model", "anthropic/claude-sonnet-4-5")
        codi("-p", "-c", "more", "--model", "anthropic/claude-opus-4-1")
    assert ["deep thought" in json.dumps(server.requests[at].json["messages"]) for at in (1, 3)] == [True, False]


def test_the_window(codi, lab):
    codi.set_up("model.context_window = 8192")
    server = lab([says("a"), says("b"), says("c")])
    codi("-p", "hello")
    assert len(server.requests[0].json["tools"]) == 8  # the set for models with a small window
    codi("-p", "-c", "on")
    codi("-p", "-c", "--context-window", "16000", "further")
    described = [line["data"] for line in codi.session() if line.get("customType") == "codi/model"]
    assert [each["window"] for each in described] == [8192, 16000]  # what is shown of a session that goes on


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("tries = 1\nbase_s = 0.01", 1),
        ("tries = 3\nbase_s = 0.01", 3),
        ("tries = 3\nbase_s = 60\ncap_s = 0.01", 3),
        ("tries = 3\nbase_s = 0.01\npause_over_s = 0", 1),
    ],
)
def test_retries(codi, text, requests):
    with running([says("a", **BUSY)]) as server:
        codi.use(server)
        codi.set_up(f"[retry]\n{text}\n")
        assert codi("-p", "hello").status == 1
        assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("agent.max_steps = 1", 124, "steps"),
        ("agent.max_time_s = 0.001", 124, "0.001 s"),
        ("agent.max_tokens = 1", 124, "tokens"),
        ("agent.max_cost = 0.5", 124, "price of this model is unknown"),
        ("agent.max_cost = 0.5\nagent.max_cost_unknown = true", 0, ""),
    ],
)
def test_limits(codi, text, status, told):
    with running([says("", call("list", path=".")), says("done")]) as server:
        codi.use(server)
        codi.set_up(text)
        run = codi.json("hello", "--model", "anthropic/of-no-price")
        assert run.status == status and told in (run.result["reason"] or ""), run


def test_failed_steps(codi, lab):
    codi.set_up("agent.max_failed_steps = 2")
    server = lab([says("", call("read", path=f"none{number}")) for number in range(2)])
    assert codi("-p", "hello").status == 1
    assert len(server.requests) == 2


def test_actions_side_by_side(codi, lab):
    for name in "ab":
        (codi.cwd / name).write_text("x\n" * 2_000_000)  # so long that it is read in a thread
    both = says("", call("read", path="a"), call("read", path="b"))
    lab([both, says("done"), both, says("done")])
    for parallel in (1, 2):
        codi.set_up(f"agent.parallel = {parallel}")
        lines = codi.stream("hello").lines
        events = [line["type"].rpartition("_")[2] for line in lines if line["type"].startswith("tool_execution_")]
        assert (events == ["start", "end", "start", "end"]) == (parallel == 1), events


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 3),
        ("permission_mode = 'accept-edits'", 0),
        ("policy.allow = ['write(**)']", 0),
        ("permission_mode = 'accept-edits'\npolicy.ask = ['write(x.txt)']", 3),
        ("permission_mode = 'accept-edits'\nworkspace.protected = ['x.*']", 3),
    ],
)
def test_permissions(codi, lab, text, status):
    codi.set_up(text)
    lab([says("", call("write", path="x.txt", content="x")), says("done")])
    assert codi("-p", "hello").status == status
    assert (codi.cwd / "x.txt").exists() == (status == 0)


def test_what_is_denied_by_a_rule(codi, lab):
    codi.set_up("permission_mode = 'full-access'\npolicy.deny = ['write(**)']")
    lab([says("", call("write", path="x.txt", content="x")), says("done")])
    run = codi.json("hello")
    assert run.status == 0 and "not allowed" in run.result["toolCalls"][0]["result"]


def test_further_directories(codi, lab, tmp_path):
    (tmp_path / "beside").mkdir()
    codi.set_up(f"permission_mode = 'accept-edits'\nworkspace.extra_dirs = ['{tmp_path}/beside']")
    lab([says("", call("write", path=f"{tmp_path}/beside/x.txt", content="x")), says("done")])
    assert codi("-p", "hello").status == 0 and (tmp_path / "beside/x.txt").exists()


def test_the_syntax_gate(codi, lab):
    codi.set_up("permission_mode = 'accept-edits'\ntools.syntax_gate = 'off'")
    (codi.cwd / "a.py").write_text("x = 1\n")
    lab(
        [
            says("", call("read", path="a.py")),
            says("", call("edit", path="a.py", old_text="1", new_text="(")),
            says("done"),
        ]
    )
    codi("-p", "hello")
    assert (codi.cwd / "a.py").read_text() == "x = (\n"


def test_the_gate_knows_more_languages_than_python(codi, lab):
    codi.set_up("permission_mode = 'accept-edits'")
    for name in ("whole.go", "broken.go"):
        (codi.cwd / name).write_text("package a\n\nfunc f() int { return 1 }\n" + "}\n" * (name == "broken.go"))
    edits = [call("edit", path=name, old_text="1 }", new_text="2") for name in ("whole.go", "broken.go")]
    lab(
        [
            says("", call("read", path="whole.go"), call("read", path="broken.go")),
            says("", edits[0]),
            says("", edits[1]),
            says("", edits[0]),
            says("done"),
        ]
    )
    results = [each["result"] for each in codi.json("hello").result["toolCalls"]][2:]
    assert results[0].startswith("Nothing was written: whole.go would no longer parse: line ")
    assert results[1].startswith("Successfully replaced text in broken.go.")
    assert results[2].startswith("Successfully replaced text in whole.go.\nWarning: whole.go would no longer parse")


@pytest.mark.parametrize(("said", "calls"), [("auto", 1), ("off", 0)])
def test_calls_by_text(codi, lab, said, calls):
    codi.set_up(f"tools.text_calls = '{said}'")
    lab(
        [says('<tool_call>{"name": "list", "arguments": {}}</tool_call>'), *[says("done")] * calls],
        "ollama",
        takes_tools=False,
    )
    assert len(codi.json("hello").result["toolCalls"]) == calls


def test_services_and_models_of_ones_own(codi, lab):
    server = lab([says("a")], used=False)
    codi.set_up(
        f'[providers.own]\napi = "anthropic"\nbase_url = "{server.url}"\nkey_env = "OWN"\nheaders = {{X-Team = "t"}}\nmodels = ["m-1"]\n'
        '[models.m-1]\nwindow = 8192\nprice = {input = 1.0, output = 2.0}\n[model]\nprovider = "own"\n'
    )
    run = codi.json("hello", "--max-cost", "5", env={"OWN": "k"})
    assert run.status == 0 and run.result["usage"]["cost"] is not None
    (request,) = server.requests
    assert request.json["model"] == "m-1" and len(request.json["tools"]) == 8
    assert dict(request.headers)["x-team"] == "t"


SHELL = ("tool", "call", "shell")


def test_what_undo_keeps(codi):
    codi.set_up("undo.enabled = false")
    codi(*SHELL, json.dumps({"command": "echo a > a"}), "-y")
    assert not list(codi.home.glob("undo/*"))
    codi.set_up("undo.exclude = ['gen']\nundo.max_file_mb = 1")
    codi(
        *SHELL,
        json.dumps({"command": "mkdir gen && echo a > gen/a && echo b > b && head -c 2000000 /dev/zero > big"}),
        "-y",
    )
    told = json.loads(codi("changes", "--all", "--json").out)
    assert [file["path"] for file in told["files"]] == ["b", "big"]
    assert {"gen", "big"} <= {gap["path"] for gap in told["notCovered"]}


def test_how_much_undo_keeps(codi):
    codi.set_up("undo.quota_mb = 1")
    for number in range(4):
        codi(*SHELL, json.dumps({"command": f"head -c 600000 /dev/urandom > f{number}"}), "-y")
    status = json.loads(codi("undo", "--status", "--json").out)
    assert 0 < status["usedBytes"] <= status["quotaBytes"] == 1024 * 1024


def test_how_many_snapshots_are_listed(codi):
    for number in range(4):
        codi(*SHELL, json.dumps({"command": f"echo {number} > f"}), "-y")
    everything = codi("snapshot", "list", "--json").out.splitlines()
    codi.set_up("undo.snapshot_count = 2")
    codi("snapshot", "prune", "-y")
    assert len(everything) > len(codi("snapshot", "list", "--json").out.splitlines()) == 2


def test_no_key_is_forgotten():
    shown = {
        *ELSEWHERE,
        *ON_THE_WIRE,
        *(
            "model.thinking",
            "model.handoff_thinking",
            "model.context_window",
            "providers",
            "models",
            "auth.providers",
            "tools.syntax_gate",
            "tools.text_calls",
        ),
        *(
            "retry.tries",
            "retry.base_s",
            "retry.cap_s",
            "retry.pause_over_s",
            "agent.max_failed_steps",
            "agent.parallel",
        ),
        # test_queue.py, test_retries.py, test_model_map.py and test_titles.py show these.
        *("agent.steering", "agent.follow_up", "retry.per_turn", "sessions.title"),
        *("model.fallbacks", "model.fallback_on_refusal", "model.favourites"),
        *("tasks", "roles", "commands", "fallbacks", "pipelines"),
        *(
            "undo.enabled",
            "undo.exclude",
            "undo.max_file_mb",
            "undo.quota_mb",
            "undo.snapshot_count",
            "undo.snapshot_days",
        ),
        *("web.allow_private", "web.searxng_url", "web.cache_ttl_s", "web.duckduckgo", "web.engine", "web.max_results"),
        *("agent.evidence", "agent.evidence_retries", "verify"),
        *("sandbox.mode", "sandbox.require_level", "sandbox.network", "sandbox.hosts", "sandbox.preview"),
        *("agent.max_steps", "agent.max_time_s", "agent.max_tokens", "agent.max_cost", "agent.max_cost_unknown"),
        *(
            "permission_mode",
            "policy.allow",
            "policy.ask",
            "policy.deny",
            "workspace.extra_dirs",
            "workspace.protected",
        ),
    }
    assert {key.name for key in every_key()} == shown
