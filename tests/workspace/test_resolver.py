"""One resolver: what is judged is what the kernel would open."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.workspace import paths
from codi.workspace.descent import open_folder, open_regular
from codi.workspace.local import LocalWorkspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "root").resolve()
    (root / "src/deep").mkdir(parents=True)
    (root / "src/a.py").write_text("a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    return root


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("src/a.py", "{root}/src/a.py"),
        ("./src//a.py", "{root}/src/a.py"),
        ("src/deep/../a.py", "{root}/src/a.py"),
        ("@src/a.py", "{root}/src/a.py"),
        ("@@src", "{root}/@src"),
        ("", "{root}"),
        (".", "{root}"),
        ("src/", "{root}/src"),
        ("{root}/src", "{root}/src"),
        ("new/deeper/file", "{root}/new/deeper/file"),
        ("new/../src/a.py", "{root}/src/a.py"),
        ("src/a.py/below", "{root}/src/a.py/below"),
        ("my\u00a0new\u202ffile\u3000x\u2009y", "{root}/my new file x y"),
        ("..", "{above}"),
        ("../outside/secret", "{above}/outside/secret"),
        ("src/../../outside", "{above}/outside"),
        ("/", "/"),
        ("/../..", "/"),
        ("~", "{home}"),
        ("~/x", "{home}/x"),
        ("@~/x", "{home}/x"),
        ("/proc/self/root/etc", "/etc"),
    ],
)
def test_what_a_typed_path_means(root, monkeypatch, typed, meant):
    home = root.parent / "home"
    monkeypatch.setenv("HOME", str(home))
    places = {"root": root, "above": root.parent, "home": home}

    assert LocalWorkspace(str(root)).resolve(typed.format(**places)) == meant.format(**places)


def test_a_name_with_unicode_spaces_is_taken_as_it_is_where_it_exists(root):
    (root / "a\u202fPM.png").write_text("narrow")

    assert LocalWorkspace(str(root)).resolve("a\u202fPM.png") == f"{root}/a\u202fPM.png"


@pytest.mark.parametrize(
    "typed",
    [
        "../outside/secret",
        "out/secret",
        "src/deep/far/secret",
        "out/new/file",
        "src/up/../outside/secret",
        "chain/secret",
    ],
)
def test_whatever_leads_outside_is_seen_to_be_outside(root, typed):
    outside = root.parent / "outside"
    (root / "out").symlink_to(outside)
    (root / "src/deep/far").symlink_to("../../../outside")
    (root / "src/up").symlink_to(root)  # `..` after a link is the parent of where it leads
    (root / "chain").symlink_to("out")
    workspace = LocalWorkspace(str(root))

    assert not workspace.contains(typed)
    assert workspace.resolve(typed).startswith(str(outside))
    assert workspace.shown(typed) == workspace.resolve(typed)


def test_extra_folders_belong_to_the_work(root):
    extra = root.parent / "outside"
    workspace = LocalWorkspace(str(root), extra_dirs=[str(extra)])

    assert workspace.contains(str(extra / "new"))
    assert not workspace.contains(f"{extra}side")


def test_links_in_circles_resolve_to_nothing_that_can_be_opened(root):
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    resolved = LocalWorkspace(str(root)).resolve("one/a.py")

    with pytest.raises(OSError):
        open_regular(resolved)


def test_a_chain_of_links_too_long_for_the_resolver_cannot_be_opened(root):
    (root / "link0").symlink_to(root.parent / "outside/secret")
    for number in range(1, 60):
        (root / f"link{number}").symlink_to(f"link{number - 1}")

    with pytest.raises(OSError):
        open_regular(LocalWorkspace(str(root)).resolve("link59"))


@pytest.mark.parametrize("name", ["nul\0", "half\ud800", "x" * 300])
def test_names_that_no_file_can_have(root, name):
    workspace = LocalWorkspace(str(root))

    assert workspace.resolve(name) == f"{root}/{name}"
    with pytest.raises(OSError):
        open_regular(workspace.resolve(name))


def test_a_link_put_in_the_way_after_the_resolving_is_refused(root):
    resolved = LocalWorkspace(str(root)).resolve("src/a.py")
    (root / "src").rename(root / "moved")
    (root / "src").symlink_to("moved")

    with pytest.raises(NotADirectoryError):
        open_regular(resolved)
    with pytest.raises(NotADirectoryError):
        open_folder(f"{root}/src")


def test_inside_compares_whole_names():
    assert paths.inside("/w/src/a", ["/w/src"])
    assert paths.inside("/w/src", ["/w/src"])
    assert paths.inside("/anything", ["/"])
    assert not paths.inside("/w/src/ab", ["/w/src/a"])
    assert not paths.inside("/w", ["/w/src"])


def test_located_keeps_the_last_link(root):
    (root / "link").symlink_to("src")

    assert paths.located(f"{root}/link") == f"{root}/link"
    assert paths.located(f"{root}/link/") == f"{root}/link"
    assert paths.located(f"{root}/link/deep/..") == f"{root}/src"
    assert paths.located("/") == "/"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("src/a.py", "src/a.py"),
        ("./src/deep/", "src/deep"),
        (".", "."),
        ("src/deep/..", "src"),
        ("link/a.py", "link/a.py"),
    ],
)
def test_shown_is_relative_to_the_root(root, typed, shown):
    (root / "link").symlink_to("src")

    assert LocalWorkspace(str(root)).shown(typed) == shown


def test_shown_below_a_root_that_is_reached_by_a_link(root):
    alias = root.parent / "alias"
    alias.symlink_to(root)
    workspace = LocalWorkspace(str(alias))

    assert workspace.root == str(root)
    assert workspace.shown(f"{alias}/src/a.py") == "src/a.py"


COMPONENTS = st.lists(st.sampled_from(["a", "b", "..", ".", "to-a", "to-top", "to-b"]), max_size=8).map("/".join)


@given(COMPONENTS)
def test_existing_paths_resolve_as_the_kernel_does(path):
    top = _maze()
    typed = f"{top}/{path}"
    if os.path.exists(typed):
        assert paths.real(typed) == os.path.realpath(typed, strict=True)
        assert os.path.samefile(typed, paths.real(typed))
    else:
        assert paths.real(typed).startswith("/")


_made: list[Path] = []


def _maze() -> Path:
    if not _made:
        import atexit
        from shutil import rmtree
        from tempfile import mkdtemp

        top = Path(mkdtemp())
        atexit.register(rmtree, top)
        (top / "a/b/a").mkdir(parents=True)
        (top / "b/b").mkdir(parents=True)
        (top / "b/to-a").symlink_to("../a/b")
        (top / "a/b/to-top").symlink_to(top)
        (top / "to-b").symlink_to("b/to-a/..")
        _made.append(top)
    return _made[0]
