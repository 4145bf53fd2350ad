"""Where session files lie, and what they are called."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.sessions import paths


@pytest.mark.parametrize(
    ("cwd", "name"),
    [
        ("/home/dev/project", "--home-dev-project--"),
        ("/a-b", "--a-b--"),
        ("/a/b", "--a-b--"),
        ("/", "----"),
        ("C:\\work\\x", "--C--work-x--"),
        ("/für/日本", "--für-日本--"),
    ],
)
def test_the_folder_of_a_working_directory(cwd, name):
    assert paths.directory_of("/home/dev/.codi", cwd) == f"/home/dev/.codi/sessions/{name}"


def test_long_paths_are_cut_and_stay_apart(tmp_path):
    long = "/" + "/".join(["verylongname"] * 50)
    one, other = paths.encoded_cwd(long + "/a"), paths.encoded_cwd(long + "/b")

    assert one != other and one[:160] == other[:160] == paths.encoded_cwd(long + "/a")[:160]
    assert len(one) == 160 + 1 + 16
    assert len(paths.encoded_cwd("/" + "x" * 200)) == 200
    os.mkdir(tmp_path / f"--{one}--")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
def test_any_working_directory_gives_one_folder_name(cwd):
    name = paths.encoded_cwd("/" + cwd)

    assert "/" not in name and len(os.fsencode(f"--{name}--")) <= 204


def test_names_sort_by_time():
    assert paths.file_name(1795164961.903, "u") == "2026-11-20T08-56-01-903Z_u.jsonl"


@given(st.integers(0, 2**48 - 1))
def test_ids_of_version_7_begin_with_the_time(ms):
    id = paths.uuid7(ms / 1000)

    assert [len(part) for part in id.split("-")] == [8, 4, 4, 4, 12]
    assert int(id[:8] + id[9:13], 16) == ms
    assert id[14] == "7" and id[19] in "89ab"


def test_ids_differ():
    assert len({paths.uuid7(1.0) for _ in range(100)}) == 100


def test_folders_are_made_for_the_person_alone(tmp_path):
    before = os.umask(0o022)
    try:
        paths.make_directory(str(tmp_path / "a" / "b"))
        paths.make_directory(str(tmp_path / "a" / "b"))
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == stat.S_IMODE(os.stat(tmp_path / "a" / "b").st_mode) == 0o700


def test_folders_of_all_working_directories(tmp_path):
    assert paths.directories(str(tmp_path)) == []
    for cwd in ("/x", "/y"):
        paths.make_directory(paths.directory_of(str(tmp_path), cwd))

    assert paths.directories(str(tmp_path)) == [paths.directory_of(str(tmp_path), cwd) for cwd in ("/x", "/y")]
