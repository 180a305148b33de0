"""Checks as a JUnit file, the form that CI systems show."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from mediaforge.checks import Check, failures
from mediaforge.errors import StoreError


def write_junit(suites: Mapping[str, Sequence[Check]], to: Path) -> None:
    """One suite for each name, one case for each check; a warning passes and says so. Raises StoreError."""
    root = Element("testsuites", name="mediaforge")
    for name, checks in suites.items():
        failed = failures(tuple(checks))
        suite = SubElement(root, "testsuite", name=name, tests=str(len(checks)), failures=str(len(failed)))
        for check in checks:
            case = SubElement(suite, "testcase", classname=name, name=check.id)
            if check in failed:
                SubElement(case, "failure", message=check.message, type=check.level.value).text = check.message
            elif not check.ok:
                SubElement(case, "system-out").text = f"{check.level.value}: {check.message}"
    indent(root)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        ElementTree(root).write(to, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise StoreError(to, f"cannot be written ({error.strerror}); name another file for --junit") from error
