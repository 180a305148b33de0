"""Checks for CI systems."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from mediaforge.checks import Check, Level
from mediaforge.cli.junit import write_junit
from mediaforge.errors import StoreError

CHECKS = (
    Check(id="package.kid.agree", ok=True, message="one key id"),
    Check(id="check.vmaf.top", ok=False, message="v1600 scores VMAF 80.0, the floor is <85>"),
    Check(id="state.disk", ok=False, message="little space", level=Level.WARNING),
)


def test_a_failed_check_is_a_failure_and_a_warning_is_not(tmp_path: Path) -> None:
    write_junit({"clip.mp4": CHECKS}, tmp_path / "deep" / "junit.xml")
    suite = ElementTree.parse(tmp_path / "deep" / "junit.xml").getroot()[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("clip.mp4", "3", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["check.vmaf.top"]
    assert suite[1].find("failure").get("message") == CHECKS[1].message  # type: ignore[union-attr]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--junit"):
        write_junit({}, tmp_path / "file" / "junit.xml")
