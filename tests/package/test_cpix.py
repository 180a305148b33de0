import base64
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from mediaforge.errors import KeySourceError
from mediaforge.package.keys import LABELS, ContentKey
from mediaforge.package.keysources.cpix import Cpix, CpixKey, DrmSignal, UsageRule, cpix_of, outside_keys, rule_for, title_of
from mediaforge.package.keysources.cpix_names import NAMESPACES
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from tests.conftest import REPOSITORY
from tests.package.cpix_worlds import random_document
from tests.package.hostile_documents import mutated_documents, read_whole
from tests.package.keypairs import EXPIRED, pair

FIRST = ContentKey(kid=bytes(range(16)), key=b"\x5a" * 16, iv=b"\x3c" * 16, label="AUDIO", title="film")
SECOND = ContentKey(kid=bytes(range(16, 32)), key=b"\xa5" * 16, iv=b"\xc3" * 16, label="HD", title="film")
DOCUMENT = cpix_of("film", (FIRST, SECOND), scheme="cbcs", version="2.4")

# As a partner would send it: other prefixes, a PSSH, filters without a track type of ours. Key: 16 x 5a.
FOREIGN = """<?xml version="1.0"?>
<CPIX xmlns="urn:dashif:org:cpix" xmlns:k="urn:ietf:params:xml:ns:keyprov:pskc" contentId="film" version="2.3">
  <!-- a comment -->
  <ContentKeyList><ContentKey kid="00010203-0405-0607-0809-0A0B0C0D0E0F" commonEncryptionScheme="cbcs">
    <Data><k:Secret><k:PlainValue> WlpaWlpaWlpa
      WlpaWlpaWg== </k:PlainValue></k:Secret></Data></ContentKey></ContentKeyList>
  <DRMSystemList><DRMSystem systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" kid="00010203-0405-0607-0809-0a0b0c0d0e0f">
    <PSSH>AAAA</PSSH></DRMSystem></DRMSystemList>
  <ContentKeyUsageRuleList><ContentKeyUsageRule kid="00010203-0405-0607-0809-0a0b0c0d0e0f" intendedTrackType="VIDEO-HD">
    <VideoFilter minPixels="442369" maxPixels="2073600"/></ContentKeyUsageRule></ContentKeyUsageRuleList>
</CPIX>"""


def read(content: bytes | str, **options: object) -> Cpix:
    data = content.encode() if isinstance(content, str) else content
    return read_cpix(data, source="it.xml", **options)  # type: ignore[arg-type]


def changed(content: bytes, change: Callable[[etree._Element], None]) -> bytes:
    root = etree.fromstring(content)
    change(root)
    return etree.tostring(root)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    folder = REPOSITORY.parent / "shared" / "schemas"
    if not (folder / "cpix.xsd").is_file():
        pytest.skip("the schemas are not beside this checkout; the structure is tested without them too")
    copy = tmp_path_factory.mktemp("schemas")
    for file in folder.glob("*.xsd"):
        text = file.read_text(encoding="utf-8")
        place = '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/>'
        text = re.sub(r'<xs:import namespace="http://www.w3.org/XML/1998/namespace"\s*/>', place, text)
        (copy / file.name).write_text(re.sub(r"<!DOCTYPE.*?\]>", "", text, flags=re.DOTALL), encoding="utf-8")
    attribute = '<xs:attribute name="id" type="xs:ID"/><xs:attribute name="lang" type="xs:string"/>'
    group = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">'
    (copy / "xml.xsd").write_text(f"{group}{attribute}</xs:schema>", encoding="utf-8")
    return etree.XMLSchema(etree.parse(copy / "cpix.xsd"))


@pytest.mark.parametrize("version", ["2.3", "2.4"])
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_documents_are_valid_by_the_schema(schema: etree.XMLSchema, version: str, encrypted: bool, signed: bool) -> None:
    signal = DrmSignal(system=bytes(range(16)), kid=FIRST.kid, pssh=b"box")
    document = replace(cpix_of("film", (FIRST, SECOND), scheme="cenc", version=version), signals=(signal,))  # type: ignore[arg-type]
    content = write_cpix(
        document, certificate=pair("theirs").certificate if encrypted else None, signer=pair("ours") if signed else None
    )
    schema.assertValid(etree.fromstring(content))


def test_round_trips_give_the_same_document() -> None:
    rng = random.Random(3)
    ours, theirs = pair("ours"), pair("theirs")
    for _ in range(25):
        document = random_document(rng)
        assert read(write_cpix(document)) == document
        sealed = write_cpix(document, certificate=theirs.certificate, signer=ours)
        assert read(sealed, private_key=theirs.key, signed_by=ours.certificate) == document


def test_a_clear_document_has_the_structure_of_the_standard() -> None:
    root = etree.fromstring(write_cpix(DOCUMENT))
    assert (root.get("contentId"), root.get("version")) == ("film", "2.4")
    key = root.find("cpix:ContentKeyList/cpix:ContentKey", NAMESPACES)
    assert key is not None
    assert key.get("kid") == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert key.get("explicitIV") == base64.b64encode(FIRST.iv).decode()
    assert key.get("commonEncryptionScheme") == "cbcs"
    assert key.findtext("cpix:Data/pskc:Secret/pskc:PlainValue", None, NAMESPACES) == "WlpaWlpaWlpaWlpaWlpaWg=="
    rules = root.findall("cpix:ContentKeyUsageRuleList/cpix:ContentKeyUsageRule", NAMESPACES)
    assert [rule.get("intendedTrackType") for rule in rules] == ["AUDIO", "HD"]
    assert [etree.QName(rule[0]).localname for rule in rules] == ["AudioFilter", "VideoFilter"]
    assert dict(rules[1][0].attrib) == {"minPixels": "442369", "maxPixels": "2073600"}


def test_an_iv_goes_with_cbcs_alone() -> None:
    assert [key.iv for key in cpix_of("film", (FIRST,), scheme="cenc", version="2.3").keys] == [None]


def test_an_encrypted_document_shows_no_key_and_names_its_algorithms() -> None:
    content = write_cpix(DOCUMENT, certificate=pair("theirs").certificate)
    for key in (FIRST, SECOND):
        assert base64.b64encode(key.key) not in content
        assert key.key.hex().encode() not in content
    algorithms = etree.fromstring(content).xpath("//@Algorithm")
    assert [str(name).rpartition("#")[2] for name in algorithms] == [  # type: ignore[union-attr]
        "rsa-oaep-mgf1p",
        "hmac-sha512",
        "rsa-oaep-mgf1p",
        "aes256-cbc",
        "aes256-cbc",
    ]
    assert b"PlainValue" not in content


def test_two_encryptions_of_one_document_share_no_secret_value() -> None:
    first, second = (write_cpix(DOCUMENT, certificate=pair("theirs").certificate) for _ in range(2))
    values = [
        str(value)
        for content in (first, second)
        for value in etree.fromstring(content).xpath("//*[local-name()='CipherValue']/text()")
    ]  # type: ignore[union-attr]
    assert len(set(values)) == len(values) == 8


def test_a_foreign_document_is_understood() -> None:
    document = read(FOREIGN)
    (key,) = outside_keys(document, source="it.xml")
    assert (key.kid, key.key, key.iv, key.label) == (FIRST.kid, FIRST.key, None, "HD")
    assert title_of(document, source="it.xml") == "film"
    assert document.signals[0].pssh == b"\0\0\0"


@pytest.mark.parametrize("label", LABELS)
def test_a_rule_of_ours_names_its_label_by_filters_too(label: str) -> None:
    rule = rule_for(FIRST.kid, label)
    document = Cpix(content_id="film", keys=(CpixKey(kid=FIRST.kid, key=FIRST.key),), rules=(replace(rule, track_type="x"),))
    assert [key.label for key in outside_keys(document, source="it")] == [label]


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ((), "no usage rule"),
        ((UsageRule(kid=FIRST.kid, track_type="SD+HD"),), "SD HD"),
        ((UsageRule(kid=FIRST.kid, track_type="ALL", audio=True, pixels=((0, None),)),), "AUDIO SD HD UHD1 UHD2"),
        ((UsageRule(kid=FIRST.kid, track_type="UHD", pixels=((2_073_601, None),)),), "UHD1 UHD2"),
        ((UsageRule(kid=FIRST.kid, track_type="SD", unread="BitrateFilter"),), "BitrateFilter"),
        ((rule_for(FIRST.kid, "SD"), rule_for(FIRST.kid, "HD")), "several labels"),
    ],
)
def test_a_key_without_one_label_is_refused(rules: tuple[UsageRule, ...], what: str) -> None:
    document = Cpix(content_id="film", keys=(CpixKey(kid=FIRST.kid, key=FIRST.key),), rules=rules)
    with pytest.raises(KeySourceError, match=what):
        outside_keys(document, source="it.xml")


def test_two_keys_for_one_label_are_refused() -> None:
    keys = (CpixKey(kid=FIRST.kid, key=FIRST.key), CpixKey(kid=SECOND.kid, key=SECOND.key))
    document = Cpix(content_id="film", keys=keys, rules=(rule_for(FIRST.kid, "SD"), rule_for(SECOND.kid, "SD")))
    with pytest.raises(KeySourceError, match="two keys for SD"):
        outside_keys(document, source="it.xml")


def test_keys_of_several_titles_are_not_mixed() -> None:
    keys = (CpixKey(kid=FIRST.kid, key=FIRST.key, content_id="a"), CpixKey(kid=SECOND.kid, key=SECOND.key))
    with pytest.raises(KeySourceError, match="2 contents"):
        title_of(Cpix(content_id="film", keys=keys, rules=()), source="it.xml")


def test_a_request_names_its_keys_and_who_may_read_the_answer() -> None:
    asked = Cpix(content_id="film", keys=(CpixKey(kid=FIRST.kid),), rules=(rule_for(FIRST.kid, "SD"),))
    content = write_cpix(asked, certificate=pair("theirs").certificate)
    assert b"X509Certificate" in content
    assert b"DocumentKey" not in content
    assert read(content) == asked
    with pytest.raises(KeySourceError, match="no value"):
        outside_keys(read(content), source="it.xml")


def test_encrypted_keys_need_the_right_private_key() -> None:
    content = write_cpix(DOCUMENT, certificate=pair("theirs").certificate)
    with pytest.raises(KeySourceError, match="--private-key"):
        read(content)
    with pytest.raises(KeySourceError, match="encrypted to others"):
        read(content, private_key=pair("ours").key)


def set_text(path: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path, NAMESPACES)
        assert element is not None
        element.text = text

    return change


def flip(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path, NAMESPACES)
        assert element is not None
        value = bytearray(base64.b64decode(element.text or ""))
        value[-1] ^= 1
        element.text = base64.b64encode(value).decode()

    return change


def drop(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path, NAMESPACES)
        assert element is not None
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def set_attribute(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path, NAMESPACES)
        assert element is not None
        element.set(name, value)

    return change


KEY = ".//cpix:ContentKey"
DELIVERY = ".//cpix:DeliveryData"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (flip(f"{KEY}//xenc:CipherValue"), "MAC does not fit"),
        (flip(f"{KEY}//pskc:ValueMAC"), "MAC does not fit"),
        (drop(f"{KEY}//pskc:ValueMAC"), "MAC does not fit"),
        (set_text(f"{KEY}//xenc:CipherValue", "AAAA"), "MAC does not fit"),
        (flip(f"{DELIVERY}//cpix:DocumentKey//xenc:CipherValue"), "does not open with this private key"),
        (flip(f"{DELIVERY}//pskc:MACKey//xenc:CipherValue"), "does not open with this private key"),
        (drop(f"{DELIVERY}/cpix:MACMethod"), "with a MAC"),
        (set_attribute(f"{DELIVERY}/cpix:MACMethod", "Algorithm", "x#hmac-md5"), "HMAC-SHA512"),
        (set_attribute(f"{KEY}//xenc:EncryptionMethod", "Algorithm", "x#aes128-ecb"), "aes256-cbc"),
        (set_attribute(f"{DELIVERY}//xenc:EncryptionMethod", "Algorithm", "x#rsa-1_5"), "rsa-oaep-mgf1p"),
        (set_text(f"{DELIVERY}//ds:X509Certificate", "AAAA"), "no X.509 certificate"),
        (
            set_attribute(f"{DELIVERY}/cpix:DocumentKey", "encryptsKey", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
            "several document keys",
        ),
    ],
)
def test_an_encrypted_document_that_was_changed_is_refused(change: Callable[[etree._Element], None], what: str) -> None:
    content = changed(write_cpix(DOCUMENT, certificate=pair("theirs").certificate), change)
    with pytest.raises(KeySourceError, match=what):
        read(content, private_key=pair("theirs").key)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (set_text(f"{KEY}//pskc:PlainValue", base64.b64encode(b"\x5a" * 15).decode()), "15 bytes"),
        (set_text(f"{KEY}//pskc:PlainValue", "WlpaWlpaWlpaWlpa!!!"), "not base64"),
        (set_attribute(KEY, "kid", "film"), "no UUID"),
        (set_attribute(KEY, "explicitIV", "WlpaWlpaWlpa"), "9 bytes"),
        (set_attribute(KEY, "commonEncryptionScheme", "rot13"), "rot13"),
        (set_attribute(KEY, "dependsOnKey", "00010203-0405-0607-0809-0a0b0c0d0e0f"), "hierarchies"),
        (set_attribute(".", "version", "9.9"), "9.9"),
        (set_attribute(".//cpix:VideoFilter", "minPixels", "-1"), "no number"),
        (set_attribute(".//cpix:ContentKeyUsageRule", "kid", "ffffffff-0405-0607-0809-0a0b0c0d0e0f"), "does not hold"),
        (set_attribute(KEY, "kid", "10111213-1415-1617-1819-1a1b1c1d1e1f"), "twice"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_without_showing_a_key(
    change: Callable[[etree._Element], None], what: str
) -> None:
    with pytest.raises(KeySourceError, match=what) as caught:
        read(changed(write_cpix(DOCUMENT), change))
    assert not any(secret in str(caught.value) for secret in ("5a5a5a", "WlpaWl"))


def test_a_clear_key_in_an_encrypted_document_is_refused() -> None:
    content = write_cpix(DOCUMENT, certificate=pair("theirs").certificate)

    def slip_in(root: etree._Element) -> None:
        secret = root.find(f"{KEY}//pskc:Secret", NAMESPACES)
        assert secret is not None
        secret[:] = [
            etree.fromstring(f'<pskc:PlainValue xmlns:pskc="{NAMESPACES["pskc"]}">WlpaWlpaWlpaWlpaWlpaWg==</pskc:PlainValue>')
        ]

    with pytest.raises(KeySourceError, match="in clear in a document that is encrypted"):
        read(changed(content, slip_in), private_key=pair("theirs").key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"<a/>",
        b"<CPIX/>",
        b'<!DOCTYPE CPIX><CPIX xmlns="urn:dashif:org:cpix"/>',
        b'<!DOCTYPE C [<!ENTITY a SYSTEM "file:///etc/passwd">]><CPIX xmlns="urn:dashif:org:cpix" contentId="x">&a;</CPIX>',
        b'<!DOCTYPE C [<!ENTITY a "' + b"a" * 9999 + b'"><!ENTITY b "' + b"&a;" * 9999 + b'">]><C id="&b;&b;&b;&b;"/>',
        '<!DOCTYPE CPIX><CPIX xmlns="urn:dashif:org:cpix"/>'.encode("utf-16"),
        b"<a>" * 100_000,
        b"<CPIX>" + b" " * 4_000_001 + b"</CPIX>",
    ],
)
def test_hostile_xml_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(KeySourceError, match=r"^it\.xml: ") as caught:
        read(content)
    assert len(str(caught.value)) < 200


def test_a_signature_is_over_the_whole_document_and_pinned_to_its_signer() -> None:
    ours = pair("ours")
    content = write_cpix(DOCUMENT, signer=ours)
    assert b"rsa-sha512" in content
    assert read(content, signed_by=ours.certificate) == DOCUMENT
    with pytest.raises(KeySourceError, match="another signed it"):
        read(content, signed_by=pair("theirs").certificate)
    with pytest.raises(KeySourceError, match="not signed"):
        read(write_cpix(DOCUMENT), signed_by=ours.certificate)


def test_a_signer_whose_certificate_has_ended_is_named_as_such() -> None:
    ended = pair(EXPIRED)
    with pytest.raises(KeySourceError, match="not valid today"):
        read(write_cpix(DOCUMENT, signer=ended), signed_by=ended.certificate)


def test_a_document_of_thousands_of_keys_is_read_in_time() -> None:
    keys = tuple(CpixKey(kid=number.to_bytes(16, "big"), key=FIRST.key) for number in range(12_000))
    started = time.process_time()
    document = read(write_cpix(Cpix(content_id="film", keys=keys, rules=())))
    assert len(document.keys) == 12_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize("key", [FIRST.key, bytes(16)])
def test_keys_that_do_not_separate_labels_are_refused(key: bytes) -> None:
    keys = (CpixKey(kid=FIRST.kid, key=FIRST.key), CpixKey(kid=SECOND.kid, key=key))
    document = Cpix(content_id="film", keys=keys, rules=(rule_for(FIRST.kid, "SD"), rule_for(SECOND.kid, "HD")))
    with pytest.raises(KeySourceError, match=r"several labels|zeros"):
        outside_keys(document, source="it.xml")


@pytest.mark.parametrize("digest", ["sha256", "sha384"])
def test_other_good_signatures_are_read_too(digest: str) -> None:
    ours = pair("ours")
    c14n = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    signer = XMLSigner(signature_algorithm=f"rsa-{digest}", digest_algorithm=digest, c14n_algorithm=c14n)
    signed = signer.sign(etree.fromstring(write_cpix(DOCUMENT)), key=ours.key, cert=[ours.certificate])
    assert read(etree.tostring(signed), signed_by=ours.certificate) == DOCUMENT


@pytest.mark.parametrize(
    "change",
    [
        flip(f"{KEY}//pskc:PlainValue"),
        set_attribute(".", "contentId", "other"),
        set_attribute(".//cpix:ContentKeyUsageRule", "intendedTrackType", "SD"),
        drop(".//cpix:ContentKeyUsageRule"),
        flip(".//ds:SignatureValue"),
    ],
)
def test_a_signed_document_that_was_changed_is_refused(change: Callable[[etree._Element], None]) -> None:
    ours = pair("ours")
    with pytest.raises(KeySourceError, match="signature does not hold"):
        read(changed(write_cpix(DOCUMENT, signer=ours), change), signed_by=ours.certificate)


def test_a_signed_document_wrapped_into_another_is_refused() -> None:
    """Signature wrapping: the signed tree stands where its signature holds, other keys where they would be read."""
    ours = pair("ours")
    signed = etree.fromstring(write_cpix(DOCUMENT, signer=ours))
    evil = etree.fromstring(write_cpix(cpix_of("film", (replace(FIRST, key=b"\x66" * 16),), scheme="cbcs", version="2.4")))
    evil.append(signed)
    with pytest.raises(KeySourceError):
        read(etree.tostring(evil), signed_by=ours.certificate)
    signature = signed.find("ds:Signature", NAMESPACES)
    assert signature is not None
    evil.append(signature)
    with pytest.raises(KeySourceError):
        read(etree.tostring(evil), signed_by=ours.certificate)


def test_a_signature_over_a_part_is_refused() -> None:
    ours = pair("ours")
    root = etree.fromstring(write_cpix(DOCUMENT))
    keys = root.find("cpix:ContentKeyList", NAMESPACES)
    assert keys is not None
    keys.set("Id", "keys")
    signed = XMLSigner().sign(root, key=ours.key, cert=[ours.certificate], reference_uri="#keys")
    with pytest.raises(KeySourceError, match="only a part"):
        read(etree.tostring(signed), signed_by=ours.certificate)


def test_nothing_shows_a_key() -> None:
    shown = repr(DOCUMENT) + repr(FIRST) + repr(outside_keys(DOCUMENT, source="x")) + repr(pair("ours"))
    assert "5a5a" not in shown
    assert "\\x5a" not in shown
    assert "ZZZZ" not in shown  # 0x5a as text


def test_a_short_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="2048 bits"):
        write_cpix(DOCUMENT, certificate=pair("short", 1024).certificate)


def test_mutated_documents_are_refused_with_the_declared_error_only_and_never_pass_as_signed() -> None:
    refused = 0
    started = time.process_time()
    for content in islice(mutated_documents(seed=5), 400):
        try:
            read_whole(content)
        except KeySourceError:
            refused += 1
    assert 300 < refused <= 400
    assert time.process_time() - started < 20
