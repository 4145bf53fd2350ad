"""No secret goes to a model, into a session, into a log or onto a screen, and what needs one works all the same."""

import json
import random
import stat
import string
import subprocess
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from conftest import PROGRAM, TIMEOUT_S, Codi, call, says

LETTERS = string.ascii_letters + string.digits
SHAPES = (
    ("ghp_", 36),
    ("sk-ant-api03-", 40),
    ("glpat-", 20),
    ("npm_", 36),
    ("xoxb-1234567890-", 24),
    ("sk_live_", 24),
    ("AIza", 35),
    ("hf_", 34),
)
CHANNELS = 12


def canaries(count: int, seed: int = 7) -> list[str]:
    """Keys that no service gave, of several forms."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        begin, length = SHAPES[number % len(SHAPES)]
        made.append(begin + "7q" + "".join(chance.choices(LETTERS, k=length - 2)))
    return made


def leaks(secrets: list[str], told: bytes) -> list[str]:
    return [secret for secret in secrets if secret.encode() in told]


def everything_in(folder: Path) -> bytes:
    """All files of codi's home, but for the contents that undo keeps to put them back, and what the person wrote."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.toml"]
    told = [path for path in files if "undo" not in path.parts or path.name == "journal.jsonl"]
    return b"\n".join(path.read_bytes() for path in told)


def sent_to(server) -> bytes:
    return b"\n".join(request.body for request in server.requests)


def test_500_planted_secrets_leak_nowhere(codi: Codi, lab):
    secrets = canaries(504)
    of = [secrets[at::CHANNELS] for at in range(CHANNELS)]
    prompt, rules, file, searched, said, complained, given, dotted, address, missing, echoed, named = of
    root = codi.cwd
    (root / "AGENTS.md").write_text("Keys of this project:\n" + "\n".join(rules) + "\n")
    (root / "keys.py").write_text("".join(f'KEY_{at} = "{secret}"\n' for at, secret in enumerate(file)))
    (root / "found.txt").write_text("".join(f"marker {secret} end\n" for secret in searched))
    (root / "said.txt").write_text("\n".join(said))
    (root / "complained.txt").write_text("\n".join(complained))
    dotted[:] = [f"Zq{secret[-18:]}4" for secret in dotted]  # of no form that would be known
    (root / ".env").write_text("".join(f"SETTING_{at}={secret}\n" for at, secret in enumerate(dotted)))
    (root / "settings.txt").write_text("\n".join(dotted))
    for secret in named:
        (root / "names").mkdir(exist_ok=True)
        (root / "names" / secret).write_text("x")
    given_text = "\n".join(f'GIVEN_{at} = "{secret}"' for at, secret in enumerate(given))
    codi.set_up(f"[shell.env]\n{given_text}\n")
    server = lab(
        [
            says(
                "Looking. " + " ".join(echoed[:20]),
                call("read", path="keys.py"),
                call("grep", pattern="marker", path="found.txt"),
                call("list", path="names"),
                call("read", path="settings.txt"),
                thinking="Hm, " + " ".join(echoed[20:]),
            ),
            says("", call("shell", command="cat said.txt; cat complained.txt >&2; env; sh -c 'exit 3'")),
            says("", *(call("web_fetch", url=f"http://127.0.0.1:9/?key={secret}") for secret in address)),
            says("", *(call("read", path=f"{secret}.txt") for secret in missing)),
            says("", call("edit", path="found.txt", old_text=f"not there {searched[0]}", new_text="x")),
            says("Done: " + echoed[0]),
            says("Yes."),
        ]
    )
    secrets = [secret for channel in of for secret in channel]
    run = codi.stream("Use " + " ".join(prompt), "-y", "--name", prompt[0])
    assert run.status == 0, [given for given in run.of_type("approval_given") if given["decision"] != "allow"]
    results = list(run.of_type("tool_execution_end"))
    assert len(results) == 4 + 1 + len(address) + len(missing) + 1
    assert "{{secret:" in sent_to(server).decode() and server.requests[-1].body.count(b"{{secret:") > 400
    assert leaks(secrets, sent_to(server)) == []
    assert leaks(secrets, run.out.encode() + run.err.encode()) == []
    assert leaks(secrets, everything_in(codi.home)) == []
    again = codi("-p", "-c", "and now?", "--output-format", "json")
    assert leaks(secrets, sent_to(server) + again.out.encode()) == []


def test_a_known_value_is_veiled_in_every_form(codi: Codi, lab):
    secret = 'tr0ub4dor"&/3 horse'
    forms = [secret, b64encode(b"user:" + secret.encode() + b"!").decode(), quote(secret, safe=""), json.dumps(secret)]
    (codi.cwd / "forms.txt").write_text("\n".join(forms))
    server = lab([says("", call("read", path="forms.txt")), says("Done.")])
    assert codi("-p", "go", env={"DB_PASSWORD": secret}).status == 0
    (result,) = server.requests[1].json["messages"][-1]["content"]
    told = json.dumps(result)
    for part in (secret, "tr0ub4dor", quote(secret, safe=""), b64encode(secret.encode()).decode()[:12], "dTByMHViN"):
        assert part not in told
    for name in ("DB_PASSWORD_1", "DB_PASSWORD_BASE64_1", "DB_PASSWORD_URL_1", "DB_PASSWORD_JSON_1"):
        assert name in told


def test_a_command_gets_the_secret_and_nobody_else_sees_it(codi: Codi, lab):
    (secret,) = canaries(1)
    (codi.cwd / "key.txt").write_text(secret)
    command = "printf 'Bearer {{secret:GITHUB_TOKEN_1}}' > sent.txt && cat sent.txt"
    server = lab([says("", call("read", path="key.txt")), says("", call("shell", command=command)), says("Done.")])
    run = codi.stream("go", "-y")
    assert (codi.cwd / "sent.txt").read_text() == f"Bearer {secret}"
    (asked,) = run.of_type("approval_asked")
    assert asked["args"]["command"] == command and "{{secret:GITHUB_TOKEN_1}}" in json.dumps(asked["effects"])
    assert "Bearer {{secret:GITHUB_TOKEN_1}}" in json.dumps(server.requests[-1].json)
    for told in (run.out.encode(), sent_to(server), everything_in(codi.home)):
        assert leaks([secret], told) == []


def test_what_is_edited_keeps_its_bytes(codi: Codi, lab):
    first, second = canaries(2)
    before = f'A = "{first}"\r\nB = "{second}"  # caf\u00e9 {first}\r\nC = 1\r\n'.encode()
    (codi.cwd / "a.py").write_bytes(before)
    lab(
        [
            says("", call("read", path="a.py")),
            says(
                "",
                call(
                    "edit",
                    path="a.py",
                    old_text='B = "{{secret:ANTHROPIC_KEY_1}}"',
                    new_text='B = "{{secret:ANTHROPIC_KEY_1}}{{secret:GITHUB_TOKEN_1}}"',
                ),
                call("write", path="b.py", content="KEY = '{{secret:GITHUB_TOKEN_1}}'\n"),
            ),
            says("Done."),
        ]
    )
    assert codi("-p", "go", "-y").status == 0
    assert (codi.cwd / "a.py").read_bytes() == before.replace(second.encode(), (second + first).encode(), 1)
    assert (codi.cwd / "b.py").read_text() == f"KEY = '{first}'\n"


def test_a_placeholder_that_stands_for_nothing_is_refused(codi: Codi, lab):
    lab([says("", call("shell", command="echo {{secret:AWS_9}} > x")), says("Done.")])
    run = codi.json("go", "-y")
    (made,) = run.result["toolCalls"]
    assert made["isError"] and made["result"].startswith("Nothing was run: {{secret:AWS_9}} stands for a secret")
    assert not (codi.cwd / "x").exists()


def test_text_that_only_looks_like_a_placeholder_stays_what_it_is(codi: Codi, lab):
    (secret,) = canaries(1)
    text = f"the key {{{{secret:GITHUB_TOKEN_1}}}} and {{{{secret:OTHER_1}}}}, really {secret}\n"
    (codi.cwd / "key.txt").write_text(secret)
    (codi.cwd / "doc.md").write_text(text)
    lab(
        [
            says("", call("read", path="key.txt")),
            says("", call("read", path="doc.md")),
            says(
                "",
                call(
                    "write",
                    path="copy.md",
                    content="{{secret:LITERAL_1}} {{secret:OTHER_1}} {{secret:GITHUB_TOKEN_1}}",
                ),
            ),
            says("Done."),
        ]
    )
    assert codi("-p", "go", "-y").status == 0
    assert (codi.cwd / "copy.md").read_text() == f"{{{{secret:GITHUB_TOKEN_1}}}} {{{{secret:OTHER_1}}}} {secret}"


def test_a_secret_has_the_same_name_when_a_session_goes_on(codi: Codi, lab):
    first, second = canaries(9)[0], canaries(9)[8]
    assert first[:4] == second[:4] == "ghp_"
    (codi.cwd / "key.txt").write_text(first)
    (codi.cwd / "other.txt").write_text(second)
    use = call("shell", command="echo {{secret:GITHUB_TOKEN_1}} > used.txt")
    server = lab(
        [
            says("", call("read", path="key.txt")),
            says("Done."),
            says("", use),
            says("", call("read", path="other.txt")),
            says("", call("read", path="key.txt")),
            says("", use),
            says("Done."),
        ]
    )
    codi("-p", "go")
    assert codi("-p", "-c", "again", "-y").status == 0
    told = [block["content"] for block in server.requests[-1].json["messages"][-1]["content"]]
    assert "Done." not in told
    texts = json.dumps(server.requests[-1].json["messages"])
    assert "Nothing was run: {{secret:GITHUB_TOKEN_1}} stands for a secret" in texts
    assert texts.count("{{secret:GITHUB_TOKEN_2}}") == 1
    assert (codi.cwd / "used.txt").read_text() == first + "\n"
    assert leaks([first, second], everything_in(codi.home)) == []
    assert stat.S_IMODE((codi.home / "vault.key").stat().st_mode) == 0o600


def test_keys_of_models_reach_neither_a_command_nor_the_model(codi: Codi, lab):
    (secret,) = canaries(1)
    (codi.cwd / "leaked.txt").write_text(f"it is {secret[5:]}{secret[:5]}")
    key = secret[5:] + secret[:5]
    server = lab([says("", call("shell", command="env; cat leaked.txt")), says("Done.")])
    codi.env["ANTHROPIC_API_KEY"] = key
    run = codi.stream("go", "-y")
    assert server.requests[0].headers["x-api-key"] == key
    (ended,) = run.of_type("tool_execution_end")
    assert "it is {{secret:ANTHROPIC_API_KEY_1}}" in json.dumps(ended)
    assert "ANTHROPIC_API_KEY=" not in json.dumps(ended)
    assert leaks([key], sent_to(server) + run.out.encode() + everything_in(codi.home)) == []


def test_a_key_from_a_command_is_known_too(codi: Codi, lab):
    key = "plain0word1of2nobody"
    server = lab([says("", call("shell", command=f"echo {key}")), says("Done.")])
    run = codi.stream("go", "-y", "--api-key", f"!echo {key[:10]}{key[10:]}")
    assert server.requests[0].headers["x-api-key"] == key
    assert leaks([key], sent_to(server) + run.out.encode() + everything_in(codi.home)) == []


@pytest.mark.parametrize("said", ["on", "warn", "off"])
def test_the_vault_can_be_told_to_warn_only_or_switched_off(codi: Codi, lab, said):
    (secret,) = canaries(1)
    codi.set_up(f"secrets.vault = '{said}'")
    server = lab([says("Yes."), says("Yes.")])
    run = codi.stream(f"is {secret} a key", f"is {secret} a key")
    warnings = [line["message"] for line in run.of_type("warning")]
    told = ["a secret (github token) goes to the model: secrets.vault is warn"]
    assert warnings == (told if said == "warn" else [])
    assert (leaks([secret], sent_to(server)) == []) == (said == "on")


def test_names_and_detectors_of_the_person(codi: Codi, lab):
    codi.set_up("[secrets]\nnames = ['PLAIN']\ndetectors = {ours = 'our-[0-9]{6}', github_token = false}")
    (secret,) = canaries(1)
    server = lab([says("Yes.")])
    codi("-p", f"word our-123456 {secret}", env={"PLAIN": "word"})
    (sent,) = server.requests[0].json["messages"]
    assert f"{{{{secret:PLAIN_1}}}} {{{{secret:OURS_1}}}} {secret}" in json.dumps(sent)


@pytest.mark.parametrize("text", ["ours = '('", "no_such = false"])
def test_detectors_that_make_no_sense(codi: Codi, text):
    codi.env["ANTHROPIC_API_KEY"] = "k"
    codi.set_up(f"[secrets]\ndetectors = {{{text}}}")
    run = codi("-p", "hello")
    assert run.status == 2 and f"secrets.detectors.{text.split(' ')[0]}" in run.err, run


def test_a_project_may_name_more_and_switch_nothing_off(codi: Codi, lab):
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi" / "config.toml").write_text("[secrets]\nvault = 'off'\nnames = ['THEIRS']\n")
    codi.set_up("secrets.names = ['MINE']")
    server = lab([says("Yes.")])
    codi("-p", "word and term", "--trust-project", env={"MINE": "word", "THEIRS": "term"})
    assert "{{secret:MINE_1}} and {{secret:THEIRS_1}}" in json.dumps(server.requests[0].json["messages"])


def test_a_result_that_is_put_aside_is_veiled_too(codi: Codi, lab):
    (secret,) = canaries(1)
    (codi.cwd / "long.txt").write_text("line\n" * 20_000 + secret + "\nline" * 20_000)
    server = lab(
        [
            says("", {**call("shell", command=f"cat long.txt # {secret}"), "id": "long"}),
            says("", call("recall", action="search", query="secret:")),
            says("Done."),
        ]
    )
    assert codi("-p", "go", "-y").status == 0
    assert "{{secret:GITHUB_TOKEN_1}}" in json.dumps(server.requests[-1].json["messages"][-1])
    assert list(codi.home.rglob("*.results/*.txt"))
    assert leaks([secret], sent_to(server) + everything_in(codi.home)) == []


def test_what_is_shown_of_an_error_names_no_secret(codi: Codi):
    (first,) = canaries(1)
    env = codi.env | {"CODI_SCRIPT": "nowhere", "MY_PASSWORD": "secret-word-of-mine"}
    words = [PROGRAM, "-p", "hello", "--debug", "--session", f"{first} secret-word-of-mine"]
    done = subprocess.run(words, env=env, cwd=codi.cwd, capture_output=True, timeout=TIMEOUT_S)
    trace, _, _line = done.stderr.decode().rpartition("error: ")
    assert "Traceback" in trace and "{{secret:GITHUB_TOKEN_1}} {{secret:MY_PASSWORD_1}}" in trace
    assert leaks([first, "secret-word-of-mine"], trace.encode()) == []
