"""Subtitles in IMSC: documents of the Text Profile with the words of the WebVTT, in whole packages."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from lxml import etree

from mediaforge.checks import failures
from mediaforge.media import Span
from mediaforge.package.assembly import Package
from mediaforge.package.codecs import codec_string
from mediaforge.package.cues import first_cue
from mediaforge.package.hls import attributes
from mediaforge.package.imsc import TT, TTS, XML, cues_of, imsc_document, parse_cues
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme, TextForm
from mediaforge.package.stpp import read_sample, with_sample
from mediaforge.package.verify import verify_package

TEXT = """WEBVTT

STYLE
::cue { color: red }

1
00:00:01.000 --> 00:00:02.500 line:10% align:start
<v Amina>Il <i>était</i> & une <b>fois &lt;3</b>
encore

00:00:03.000 --> 00:00:04.000
\u200fكان يا ما كان

00:00:05.999 --> 00:00:06.000

"""


def document(begin: float, end: float, text: str = TEXT) -> etree._Element:
    span = Span(start=Fraction(begin), end=Fraction(end))
    return etree.fromstring(imsc_document(parse_cues(text, name=Path()), language="fr", span=span))


def test_a_document_has_the_cues_shown_in_its_segment_with_their_whole_times() -> None:
    first, second, last = document(0, 2), document(2, 4), document(4, 6)
    assert [cue[:2] for cue in cues_of(first)] == [(1, Fraction(5, 2))]
    assert [cue[:2] for cue in cues_of(second)] == [(1, Fraction(5, 2)), (3, 4)]
    assert list(cues_of(last)) == []
    assert first.get(f"{XML}lang") == "fr"


def test_words_and_their_marks_become_those_of_the_profile() -> None:
    (paragraph,) = document(0, 2).iter(f"{TT}p")
    assert "".join(paragraph.itertext()) == "Il était & une fois <3encore"
    assert len(list(paragraph.iter(f"{TT}br"))) == 1
    marked = {"".join(row.itertext()): dict(row.attrib) for row in paragraph.iter(f"{TT}span") if row.get("style") is None}
    assert marked == {"était": {f"{TTS}fontStyle": "italic"}, "fois <3": {f"{TTS}fontWeight": "bold"}}
    assert (paragraph.get("region"), paragraph.get(f"{TTS}textAlign")) == ("top", "start")


def test_arabic_runs_from_right_to_left_at_the_bottom() -> None:
    (paragraph,) = document(3, 4).iter(f"{TT}p")
    assert (paragraph.get("region"), paragraph.get(f"{TTS}direction")) == ("bottom", "rtl")
    (paragraph,) = document(0, 1, TEXT.replace("\u200fكان", "Un mot : كان").replace("00:03", "00:00")).iter(f"{TT}p")
    assert paragraph.get(f"{TTS}direction") is None


@pytest.mark.parametrize("text", ["<i>open", "close</i>", "<i><b>crossed</i></b>", "1 < 2", "a &amp; b\x0b", "<00:00:01.500>x"])
def test_whatever_a_cue_marks_up_its_document_is_one(text: str) -> None:
    (cue,) = cues_of(document(0, 2, f"WEBVTT\n\n00:00:01.000 --> 00:00:01.500\n{text}\n"))
    assert cue[2].strip()


def test_a_sample_changes_and_its_segment_says_so(both: Package) -> None:
    data = (both.folder / "text/fr-imsc/1.m4s").read_bytes()
    changed = with_sample(data, b"<tt/>")
    assert read_sample(changed) == b"<tt/>"
    assert with_sample(changed, read_sample(data)) == data


@pytest.fixture(scope="module")
def both(request_: PackageRequest, make_package: Callable[..., Package]) -> Package:
    """French subtitles in both forms."""
    (text,) = request_.text
    return make_package(replace(request_, text=(text, replace(text, form=TextForm.IMSC))))


def test_a_package_with_both_forms_holds(both: Package, key_map: dict[bytes, bytes]) -> None:
    assert [check for check in verify_package(both.folder, keys=key_map) if not check.ok] == []
    assert codec_string((both.folder / "text/fr-imsc/init.mp4").read_bytes()) == "stpp.ttml.im1t"
    rows = [attributes(line) for line in both.hls.read_text().splitlines() if line.startswith("#EXT-X-STREAM-INF")]
    said = {(row["SUBTITLES"], row["CODECS"].rpartition(",")[2]) for row in rows}
    assert said == {("text", "wvtt"), ("imsc", "stpp.ttml.im1t")}
    assert both.dash.read_text().count('codecs="stpp.ttml.im1t"') == 1
    shown = [
        words
        for path in sorted((both.folder / "text/fr-imsc").glob("*.m4s"))
        for _, _, words in cues_of(etree.fromstring(read_sample(path.read_bytes())))
    ]
    assert list(dict.fromkeys(shown)) == ["كان يا ما كان", "Il était une fois"]


def test_the_first_subtitle_is_the_same_in_both_forms(both: Package) -> None:
    webvtt, imsc = (first_cue(both.folder, name) for name in ("text/fr", "text/fr-imsc"))
    assert webvtt is not None and imsc is not None
    assert webvtt.text == imsc.text == "كان يا ما كان"
    assert imsc.at == Fraction(7, 4)


@pytest.mark.parametrize("scheme", [Scheme.CENC, Scheme.NONE])
def test_imsc_may_stand_alone(scheme: Scheme, request_: PackageRequest, make_package: Callable[..., Package]) -> None:
    alone = tuple(replace(row, form=TextForm.IMSC) for row in request_.text)
    made = make_package(replace(request_, scheme=scheme, text=alone))
    assert failures(verify_package(made.folder, keys=None)) == ()
    assert made.record.folders[-1] == "text/fr-imsc"
    assert "wvtt" not in made.hls.read_text() + made.dash.read_text()


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("package.imsc.document", b"imsc1/text", b"imsc1/imag"),
        ("package.imsc.document", b'lang="fr"', b'lang="ar"'),
        ("package.imsc.document", b"10% 10%", b"30% 30%"),
        ("package.imsc.document", b"<head>", b"<haed>"),
        ("package.imsc.document", b"<div>", b"<div >"[:-1] + b"<metadata/>"),
        ("package.imsc.cues", b'region="bottom"', b'region="middle"'),
        ("package.imsc.cues", b'begin="00:00:01.000" end="00:00:02.500"', b'begin="00:00:04.000" end="00:00:05.000"'),
    ],
)
def test_a_document_that_is_none_of_the_profile_is_caught(
    rule: str, old: bytes, new: bytes, both: Package, copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(both)
    path = folder / "text/fr-imsc/1.m4s"
    data = path.read_bytes()
    assert old in data
    path.write_bytes(with_sample(data, read_sample(data).replace(old, new)))
    assert rule in {check.id for check in failures(verify_package(folder, keys=None))}
