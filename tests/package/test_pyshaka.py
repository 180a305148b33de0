"""The real packager where it fails, and a stand-in that shows what a process can see of keys."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import ToolError
from mediaforge.package.plan import PackageRequest
from mediaforge.package.pyshaka import PackagerKey, PackagerRun, PackagerStream, run_packager
from mediaforge.package.record import Scheme, System
from mediaforge.tools import Tools

CANARY = bytes(range(0xA0, 0xB0))


def planned(*, label: str = "SD", kid: bytes = bytes(range(16)), iv: bytes = bytes(16), key: bytes = CANARY) -> PackagerRun:
    return PackagerRun(
        name="film, variant a",
        streams=(PackagerStream(source="in.mp4", kind="video", folder="v", label="SD"),),
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE,),
        keys=(PackagerKey(label=label, kid=kid, key=key, iv=iv),),
        segment_seconds=Fraction(48, 25),
    )


@pytest.fixture
def folder(request_: PackageRequest, tmp_path: Path) -> Path:
    (tmp_path / "in.mp4").symlink_to(request_.video[0].a)
    return tmp_path


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (planned(label="HD"), "Key for 'SD' was not found"),
        (planned(iv=bytes(3)), "Invalid IV"),
        (planned(key=CANARY[:15]), "Invalid key size"),
        (planned(kid=b""), "Failed to parse --keys"),  # here the packager repeats the whole list of keys
    ],
)
def test_what_the_packager_refuses_is_said_without_a_key(run: PackagerRun, reason: str, folder: Path, tools: Tools) -> None:
    with pytest.raises(ToolError) as caught:
        run_packager(run, folder=folder, tools=tools)
    shown = str(caught.value) + caught.value.tail + repr(caught.value.argv) + repr(caught.value.__cause__)
    assert reason in shown
    assert "film, variant a" in str(caught.value)
    assert CANARY[:15].hex() not in shown
    assert ("***" in shown) == ("--keys" in reason)


def test_a_cut_input_is_named_with_its_cause(folder: Path, request_: PackageRequest, tools: Tools) -> None:
    (folder / "in.mp4").unlink()
    (folder / "in.mp4").write_bytes(request_.video[0].a.read_bytes()[:5000])
    with pytest.raises(ToolError, match="moov"):
        run_packager(planned(), folder=folder, tools=tools)


def test_no_process_can_see_a_key(folder: Path, tools: Tools) -> None:
    """A stand-in for the packager writes down its arguments, its environment, and what the flag file holds."""
    spy = folder / "spy.py"
    spy.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys\n"
        "flags = next(part for part in sys.argv if part.startswith('--flagfile='))\n"
        "seen = {'argv': open('/proc/self/cmdline').read(), 'environ': open('/proc/self/environ').read()}\n"
        "seen['flags'] = open(flags.partition('=')[2]).read()\n"
        "json.dump(seen, open('seen.json', 'w'))\n"
    )
    spy.chmod(0o755)
    run_packager(planned(), folder=folder, tools=replace(tools, packager=spy))
    seen = json.loads((folder / "seen.json").read_text())
    assert CANARY.hex() in seen["flags"]
    assert CANARY.hex() not in seen["argv"] + seen["environ"]
    assert "drm_label=SD" in seen["argv"]
