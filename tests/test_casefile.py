"""Case files: what was written is read and holds; what somebody changed, or what is none, is said so."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.casefile import DOSSIER_NAME, PAGE_NAME, SUMS_NAME, verify_casefile, write_casefile
from mediaforge.errors import MediaError, StoreError
from mediaforge.watermark.dossier import Dossier, open_codes
from mediaforge.watermark.trace import accuse
from tests.watermark.test_trace import SECRET, TWENTY, copy_of, read


@pytest.fixture
def dossier() -> Dossier:
    evidence = read(copy_of(7, 40), segments=40)
    odds, codes = open_codes(evidence, secret=SECRET, numbers={"r07": 7})
    return Dossier(
        title="atlas",
        segment_seconds=1.92,
        false_accusation=1e-3,
        recipients=20,
        evidence=evidence,
        odds=odds,
        codes=codes,
        numbers={"r07": 7},
        verdict=accuse(evidence, secret=SECRET, recipients=TWENTY, false_accusation=1e-3),
        sources=(),
        builds={"mediaforge": "0"},
    )


def test_a_case_file_holds_and_is_the_same_twice(dossier: Dossier, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write_casefile(dossier, tmp_path / name, page=b"<html></html>")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    found, checks = verify_casefile(tmp_path / "one.zip", context=None)
    assert found == dossier and all(check.ok for check in checks) and len(checks) == 4


def rewritten(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        entries = {one: archive.read(one) for one in archive.namelist()}
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for one, old in entries.items():
            archive.writestr(one, content if one == name else old)
    return changed


def test_an_entry_that_was_changed_is_found(dossier: Dossier, tmp_path: Path) -> None:
    write_casefile(dossier, tmp_path / "case.zip", page=b"<html></html>")
    _, checks = verify_casefile(rewritten(tmp_path / "case.zip", PAGE_NAME, b"<html>another</html>"), context=None)
    assert [check.id for check in checks if not check.ok] == ["trace.whole"]
    write_casefile(replace(dossier, recipients=2), tmp_path / "fewer.zip", page=None)
    _, checks = verify_casefile(tmp_path / "fewer.zip", context=None)
    assert [check.id for check in checks if not check.ok] == ["trace.bound"]


def test_what_is_no_case_file_is_said_so(dossier: Dossier, tmp_path: Path) -> None:
    (tmp_path / "not.zip").write_bytes(b"PK nothing")
    with pytest.raises(MediaError, match="is no case file"):
        verify_casefile(tmp_path / "not.zip", context=None)
    with pytest.raises(MediaError, match="cannot be read"):
        verify_casefile(tmp_path / "none.zip", context=None)
    write_casefile(dossier, tmp_path / "case.zip", page=None)
    with pytest.raises(StoreError, match="no valid Dossier"):
        verify_casefile(rewritten(tmp_path / "case.zip", DOSSIER_NAME, b'{"title": 3}'), context=None)
    damaged = bytearray((tmp_path / "case.zip").read_bytes())
    damaged[60:100] = bytes(40)  # inside the packed dossier
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(MediaError, match="is no case file"):
        verify_casefile(tmp_path / "damaged.zip", context=None)
    with zipfile.ZipFile(tmp_path / "half.zip", "w") as archive:
        archive.writestr(SUMS_NAME, "")
    with pytest.raises(MediaError, match=f"has no {DOSSIER_NAME}"):
        verify_casefile(tmp_path / "half.zip", context=None)


def test_a_case_file_that_unpacks_to_gigabytes_is_refused(dossier: Dossier, tmp_path: Path) -> None:
    write_casefile(dossier, tmp_path / "case.zip", page=None)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DOSSIER_NAME, bytes(65 << 20))
        archive.writestr(SUMS_NAME, "")
    with pytest.raises(MediaError, match="of more than 64 MB"):
        verify_casefile(bomb, context=None)
