"""A session leaves as one file, and goes on elsewhere."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import Codi, call, says

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
def talked(codi: Codi, lab):
    lab(
        [
            says(f"I look. {EVIL}", call("write", path="a.py", content="def larder():\n    return 7\n")),
            says("Done:\n\n```python\nx = 1  # one\n```\n\n````\n```\n````"),
            says("Again."),
        ]
    )
    assert codi("-p", "-y", "Fill the larder", "and again", "--name", "The larder!").status == 0
    return codi


def path_of(codi: Codi) -> str:
    return str(codi.sessions()[-1])


def data_of(page: str) -> dict:
    found = re.search(r'<script id="session-data"[^>]*>([^<]*)</script>', page)
    assert found
    return json.loads(base64.b64decode(found[1]))


def test_a_page_holds_all_and_needs_nothing(talked: Codi):
    run = talked("export", path_of(talked), "--json")
    assert run.status == 0 and run.err.startswith("exported to: "), run
    path = Path(run.result["path"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-the-larder-[0-9a-f]{8}\.html", path.name) and path.parent == talked.cwd
    page = path.read_text()
    data = data_of(page)
    assert data.keys() == {"header", "entries", "leafId", "systemPrompt", "tools"}
    assert data["entries"] == talked.session()[1:] and data["header"] == talked.session()[0]
    assert data["leafId"] == talked.session()[-1]["id"]
    assert "codi" in data["systemPrompt"] and any(tool["name"] == "write" for tool in data["tools"])
    assert '<script id="session-data" type="application/json">' in page  # as the established program writes it
    assert EVIL not in page and page.count("<script") == 2
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert path.stat().st_mode & 0o777 == 0o600


def chromium() -> str | None:
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


def test_a_browser_shows_it_without_a_network(talked: Codi, tmp_path):
    browser = chromium()
    if browser is None:
        pytest.skip("no chromium here: tools/system tests installs it")
    assert talked("export", path_of(talked), "--out", "page.html").status == 0
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
            f"file://{talked.cwd}/page.html",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    shown = done.stdout
    assert "<title>The larder!</title>" in shown, done.stderr
    assert 'class="who">you' in shown and "✓ write a.py" in shown and "you: Fill the larder" in shown
    assert "onerror" not in re.sub(r"&lt;img src=x onerror", "", shown).split("<main", 1)[1].split("</main>")[0]
    assert '<span class="com"># one</span>' in shown


def test_markdown_has_a_heading_for_each_turn_and_folds_calls(talked: Codi):
    assert talked("export", path_of(talked), "--out", "x.md").status == 0
    text = (talked.cwd / "x.md").read_text()
    assert text.startswith("# The larder!\n") and "## Turn 1\n\n> Fill the larder" in text and "## Turn 2" in text
    assert "<details>\n<summary>✓ write a.py</summary>" in text and "```json\n{" in text
    assert "Again." in text


def test_text_is_what_a_terminal_shows_without_escapes(talked: Codi):
    run = talked("export", path_of(talked), "--format", "text", "--out", "-")
    assert "› Fill the larder" in run.out and "· write a.py" in run.out and "\x1b" not in run.out


def test_json_has_the_messages_and_what_a_run_tells(talked: Codi):
    run = talked("export", path_of(talked), "--format", "json", "--out", "-")
    told = json.loads(run.out)
    roles = [message["role"] for message in told["messages"]]
    assert roles == ["user", "assistant", "toolResult", "assistant", "user", "assistant"]
    assert told["answer"] == "Again." and told["toolCalls"][0]["name"] == "write" and told["usage"]["totalTokens"] > 0


def test_jsonl_comes_back_byte_for_byte(talked: Codi, tmp_path):
    source = Path(path_of(talked))
    assert talked("export", str(source), "--all", "--out", "x.jsonl").status == 0
    assert (talked.cwd / "x.jsonl").read_bytes() == source.read_bytes()
    other = Codi(tmp_path / "other", talked.cwd)
    brought = other("import", str(talked.cwd / "x.jsonl"), "--json").result
    assert brought["state"] == "new" and Path(brought["path"]).read_bytes() == source.read_bytes()
    again = other("import", str(talked.cwd / "x.jsonl"), "--json").result
    assert (again["state"], again["added"]) == ("known", 0)


def test_the_path_alone_leaves_other_branches_out(talked: Codi):
    source = path_of(talked)
    second = [line for line in talked.session() if line["type"] == "message" and line["message"]["role"] == "user"][1]
    fork = talked("sessions", "fork", source, "--at", second["id"], "--json").result["path"]
    assert talked("export", fork, "--format", "text", "--out", "-").out.count("›") == 1


def test_no_file_is_replaced_unless_it_is_said(talked: Codi):
    (talked.cwd / "x.md").write_text("mine")
    run = talked("export", path_of(talked), "--out", "x.md")
    assert run.status == 1 and "is there already" in run.err and (talked.cwd / "x.md").read_text() == "mine"
    assert talked("export", path_of(talked), "--out", "x.md", "--force").status == 0
    assert (talked.cwd / "x.md").read_text() != "mine"
    assert sorted(path.name for path in talked.cwd.iterdir()) == ["a.py", "x.md"]
    assert talked("export", path_of(talked), "--out", "x.pdf").status == 2


def test_nothing_said_is_nothing_to_export(codi: Codi, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text('{"type":"session","version":3,"id":"00000000","timestamp":"2026-01-01T00:00:00.000Z","cwd":"/"}\n')
    run = codi("export", str(path))
    assert run.status == 1 and "nothing to export" in run.err and not list(codi.cwd.iterdir())


@pytest.fixture
def telling(codi: Codi, lab):
    """A session that an older codi kept without a vault, and that tells too much."""
    home = codi.env["HOME"]
    codi.env["USER"] = "wilhelmina"
    codi.set_up('[secrets]\nvault = "off"\n')
    lab(
        [
            says(f"Your token is {SECRET}, {home}/notes, dear wilhelmina.", call("list", mode=SECRET, before=SECRET)),
            says("Yes."),
        ]
    )
    assert codi("-p", f"use {SECRET} in {home}/notes").status == 0
    return codi


@pytest.mark.parametrize("form", ["html", "md", "jsonl", "json", "text"])
def test_what_leaves_holds_no_secret_no_home_and_no_name(telling: Codi, form):
    run = telling("export", path_of(telling), "--format", form, "--json")
    content = Path(run.result["path"]).read_text()
    content += json.dumps(data_of(content)) if form == "html" else ""
    for told in (SECRET, telling.env["HOME"], "wilhelmina"):
        assert told not in content
    kinds = {row["kind"] for row in run.result["redactions"]}
    assert {"github_token", "home", "user_name"} <= kinds, kinds


def test_leaving_secrets_in_asks(telling: Codi):
    run = telling("export", path_of(telling), "--no-redact", "--out", "x.jsonl")
    assert run.status == 2 and "--yes" in run.err and not (telling.cwd / "x.jsonl").exists()
    assert telling("export", path_of(telling), "--no-redact", "--yes", "--all", "--out", "x.jsonl").status == 0
    assert (telling.cwd / "x.jsonl").read_bytes() == Path(path_of(telling)).read_bytes()


@pytest.mark.parametrize("page", [(), ("--html",)])
def test_a_bundle_goes_on_in_an_empty_home(telling: Codi, lab, tmp_path, page):
    shown = telling("share", path_of(telling), *page, "--dry-run")
    assert "would hold" in shown.out and "github_token" in shown.out and not list(telling.cwd.iterdir())
    assert telling("share", path_of(telling), *page).status == 2
    run = telling("share", path_of(telling), *page, "--yes")
    path = run.out.strip()
    assert path.endswith(".html" if page else ".codi.json")
    content = Path(path).read_text()
    if not page:
        bundle = json.loads(content)
        assert (bundle["format"], bundle["version"]) == ("codi-share", 1)
        assert bundle.keys() >= {"header", "entries", "blobs", "redactions"}
    assert SECRET not in content and "wilhelmina" not in content

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Codi(tmp_path / "other" / "home", elsewhere) if (tmp_path / "other").mkdir() is None else None
    assert other
    server = lab([says("I go on.")], used=False)
    other.use(server)
    brought = other("import", path, "--cwd", str(elsewhere), "--json").result
    assert brought["state"] == "new"
    mine = [
        line["message"]
        for line in map(json.loads, Path(brought["path"]).read_text().splitlines())
        if line["type"] == "message"
    ]
    export = telling("export", path_of(telling), "--format", "json", "--out", "-")
    assert mine == json.loads(export.out)["messages"]
    assert other.json("go on", "--session", brought["path"]).result["answer"] == "I go on."
    assert "{{secret:" in json.dumps(server.requests[0].json["messages"])


def test_images_travel_once_in_a_bundle(codi: Codi, lab):
    pixel = base64.b64encode(
        bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000") + b"0" * 40
    ).decode()
    lab([says("A pixel.")])
    assert codi("-p", "look").status == 0
    path = Path(path_of(codi))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    prompt = next(line for line in lines if line["type"] == "message")
    prompt.pop("_c")
    image = {"type": "image", "data": pixel, "mimeType": "image/png"}
    prompt["message"]["content"] = [{"type": "text", "text": "look"}, image, image]
    path.write_text(
        "".join(
            json.dumps(line, separators=(",", ":")) + "\n"
            if "_c" not in line
            else json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"
            for line in lines
        )
    )
    assert codi("share", str(path), "--yes", "--out", "b.codi.json").status == 0
    content = (codi.cwd / "b.codi.json").read_text()
    assert content.count(pixel) == 1
    os.unlink(path)
    brought = codi("import", "b.codi.json", "--json").result
    assert Path(brought["path"]).read_text().count(pixel) == 2


def test_the_older_spellings(talked: Codi):
    assert talked("--export", path_of(talked), "old.md").status == 0 and (talked.cwd / "old.md").exists()
    assert talked("--import", path_of(talked)).status == 0
    assert talked("sessions", "export", path_of(talked), "--out", "other.md").status == 0
