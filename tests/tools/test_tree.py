"""A directory as a tree: golden, with what ignore files name left out."""


def laid_out(bench):
    for path in ("src/a.py", "src/deep/x/y/z.txt", "b.txt", "A.txt", ".hidden/x", "build/out.o", ".gitignore"):
        bench.write(path, "build/\n" if path == ".gitignore" else "")
    (bench.root / "empty").mkdir()


def test_the_whole(bench):
    laid_out(bench)
    assert bench.call("tree").text == "\n".join(
        [
            "./",
            "├── empty/",
            "├── src/",
            "│   ├── deep/",
            "│   │   └── x/",
            "│   └── a.py",
            "├── A.txt",
            "└── b.txt",
        ]
    )


def test_deeper_hidden_and_directories_alone(bench):
    laid_out(bench)
    assert bench.call("print_tree", path="src/deep", max_depth=10).text.splitlines() == [
        "src/deep/",
        "└── x/",
        "    └── y/",
        "        └── z.txt",
    ]
    assert bench.call("tree", depth=1, hidden=True).text.splitlines() == [
        "./", "├── .hidden/", "├── empty/", "├── src/", "├── .gitignore", "├── A.txt", "└── b.txt",
    ]  # fmt: skip
    assert bench.call("tree", depth=1, files=False).text.splitlines() == ["./", "├── empty/", "└── src/"]


def test_a_cap(bench):
    for number in range(30):
        bench.write(f"f{number:02}")
    output = bench.call("tree", limit=10)
    assert output.text.splitlines()[-2:] == ["├── f09", "... 20 more"]
    assert output.details["entryLimitReached"] == 10


def test_nothing_and_nowhere(bench):
    assert bench.call("tree").text == "./\n(empty directory)"
    bench.write("file")
    assert bench.call("tree", path="file").text == f"Not a directory: {bench.root / 'file'}"
    assert bench.call("tree", path="none").text == f"Path not found: {bench.root / 'none'}"
    assert bench.call("tree", depth=11).text.startswith('Validation failed for tool "tree":\n - depth:')
