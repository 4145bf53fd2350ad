"""A long record goes on in another file, and its chain does not break."""

from codi.insights.audit import Audit, damage, files, hashes_of


def test_a_long_record_goes_on_in_another_file(tmp_path):
    audit = Audit(str(tmp_path), "s1", longest=2000)
    for number in range(40):
        audit.write("prompt", {"text": f"{number} " + "x" * 60})
    audit.close()
    found = files(str(tmp_path / "audit"))
    assert len(found) > 2
    hashes = {path: hashes_of(path) for path in found}
    for path in found:
        others = {hash: other for other, some in hashes.items() if other != path for hash in some}
        assert damage(path, before=others) is None
    others = {hash: other for other, some in hashes.items() if other not in found[:2] for hash in some}
    assert "in the file before" in str(damage(found[1], before=others))
