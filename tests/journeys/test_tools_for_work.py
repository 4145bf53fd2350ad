"""The tools for lines, places, jobs and tests, through the installed program."""

import json

from conftest import Codi, call, says


def used(codi: Codi, tool: str, **arguments):
    run = codi("tool", "call", tool, json.dumps(arguments), "-y")
    return run.status, json.loads(run.out)["content"][0]["text"]


def test_lines_and_places(codi: Codi):
    (codi.cwd / "a.txt").write_text("one\ntwo\n")
    assert used(codi, "insert_lines", path="a.txt", line=3, content="three")[1].startswith("Inserted 1 line at line 3")
    assert used(codi, "replace_lines", path="a.txt", line=1, content="ONE")[0] == 0
    assert used(codi, "delete_lines", path="a.txt", line=9) == (1, "Line 9 is out of range (file has 3 lines)")
    assert used(codi, "refactor", search="two", replace="2", path="a.txt")[0] == 0
    assert used(codi, "file_op", operation="move", source="a.txt", destination="b/c.txt")[1].endswith("to b/c.txt")
    assert used(codi, "tree") == (0, "./\n└── b/\n    └── c.txt")
    assert (codi.cwd / "b/c.txt").read_text() == "ONE\n2\nthree\n"
    assert used(codi, "delete", path="b", recursive=True) == (0, "Deleted b/ (1 file)")


def test_what_is_not_allowed_is_not_done(codi: Codi):
    (codi.cwd / "a.txt").write_text("a\n")
    for tool, arguments in (
        ("delete", {"path": "a.txt"}),
        ("move", {"source": "a.txt", "target": "b.txt"}),
        ("refactor", {"search": "a", "replace": "b"}),
        ("shell", {"command": "touch made", "background": True}),
    ):
        assert codi("tool", "call", tool, json.dumps(arguments)).status == 3
    assert [path.name for path in codi.cwd.iterdir()] == ["a.txt"]


def test_a_job_that_ended_unseen_is_told_to_the_model_once(codi: Codi, lab):
    server = lab(
        [
            says("", call("shell", command="echo done; exit 3", background=True)),
            says("", call("shell", command="sleep 1")),
            says("I wait."),
        ]
    )
    assert codi("-p", "go", "-y").status == 0
    told = [json.dumps(request.json["messages"]) for request in server.requests]
    news = "Job 1 exited with code 3 after"
    assert told[-1].count(news) == 1


def test_the_web_is_asked_for_and_reached_by_name(codi: Codi, lab):
    server = lab("hello")
    offered = json.loads(codi("tool", "list", "--json").out)
    assert "web_fetch" in {tool["name"] for tool in offered} and "web_search" not in {tool["name"] for tool in offered}
    url = f"{server.url}/nothing-here"
    assert codi("tool", "call", "web_fetch", json.dumps({"url": url})).status == 3
    assert used(codi, "web_fetch", url=url)[1].startswith("Refused: 127.0.0.1 is at 127.0.0.1")
