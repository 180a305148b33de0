"""The SPEKE client against local servers that are right, that fail, and that lie."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from mediaforge.errors import KeyServerError, KeySourceError, KeyStoreError
from mediaforge.package.keys import KeyStore
from mediaforge.package.keysources.cpix import Cpix, CpixKey, rule_for
from mediaforge.package.keysources.cpix_names import NAMESPACES
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.package.keysources.source import fetch_keys
from mediaforge.package.keysources.speke import SpekeServer
from tests.package.key_servers import Answerer, Asked, Told, endless, hang_up, serving, stall
from tests.package.keypairs import pair

LABELS = ("AUDIO", "SD", "HD")


def value_of(kid: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in kid)


def filled(asked: Asked) -> Cpix:
    document = read_cpix(asked.body, source="request")
    return replace(document, keys=tuple(replace(key, key=value_of(key.kid)) for key in document.keys))


def telling(change: Callable[[Cpix], Cpix] = lambda document: document, **told: object) -> Answerer:
    return lambda asked: Told(body=write_cpix(change(filled(asked))), **told)  # type: ignore[arg-type]


def fetch(store: KeyStore, source: SpekeServer, labels: tuple[str, ...] = LABELS, title: str = "film"):  # type: ignore[no-untyped-def]
    return fetch_keys(store, source, title, labels, scheme="cbcs")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.mark.parametrize(("version", "cpix"), [("2.0", "2.3"), ("2.1", "2.4")])
def test_the_keys_that_were_asked_for_come_into_the_store(store: KeyStore, tmp_path: Path, version: str, cpix: str) -> None:
    answer = telling(headers={"X-Speke-Version": version, "X-Speke-User-Agent": "local"})
    with serving(tmp_path, answer, headers={"x-api-key": "hush"}) as local:
        source = SpekeServer(server=local.server, version=version)  # type: ignore[arg-type]
        keys = fetch(store, source)
        assert [key.label for key in keys] == list(LABELS)
        assert all(key.key == value_of(key.kid) for key in keys)
        assert fetch(store, source) == keys  # asked again, nothing changes
    assert store.content_keys("film", LABELS) == keys
    records = store.keys()
    assert {record.origin for record in records} == {"speke"}
    asked = local.asked[0]
    assert (asked.headers["x-speke-version"], asked.headers["x-api-key"]) == (version, "hush")
    assert asked.headers["content-type"] == "application/xml"
    root = etree.fromstring(asked.body)
    assert (root.get("version"), root.get("contentId")) == (cpix, "film")
    asked_keys = root.findall(".//cpix:ContentKey", NAMESPACES)
    assert [key.get("commonEncryptionScheme") for key in asked_keys] == ["cbcs"] * 3
    assert all(len(key) == 0 for key in asked_keys)
    rules = root.findall(".//cpix:ContentKeyUsageRule", NAMESPACES)
    assert [rule.get("intendedTrackType") for rule in rules] == list(LABELS)
    assert [len(rule) for rule in rules] == [1, 1, 1]  # as many filters as track types
    assert len(root.findall(".//cpix:DRMSystem", NAMESPACES)) == 6


def test_keys_come_encrypted_where_that_is_asked_for(store: KeyStore, tmp_path: Path) -> None:
    ours = pair("ours")

    def answer(asked: Asked) -> Told:
        assert b"X509Certificate" in asked.body
        return Told(body=write_cpix(filled(asked), certificate=ours.certificate))

    with serving(tmp_path, answer) as local:
        keys = fetch(store, SpekeServer(server=local.server, recipient=ours))
    assert all(key.key == value_of(key.kid) for key in keys)


def test_a_label_that_comes_later_is_asked_for_alone(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local:
        source = SpekeServer(server=local.server)
        first = fetch(store, source, ("AUDIO", "SD"))
        (hd,) = fetch(store, source, ("HD",))
    assert store.content_keys("film", ("AUDIO", "SD", "HD")) == (*first, hd)


def test_a_rekeyed_title_gets_new_kids_from_the_server(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local:
        source = SpekeServer(server=local.server)
        old = fetch(store, source)
        store.rekey("film")
        new = fetch(store, source)
    assert {key.kid for key in old}.isdisjoint({key.kid for key in new})
    assert store.present_keys("film") == new


def other_kid(document: Cpix) -> Cpix:
    kid = b"x" * 16
    first = document.keys[0]
    rules = tuple(replace(rule, kid=kid) if rule.kid == first.kid else rule for rule in document.rules)
    return replace(document, keys=(replace(first, kid=kid), *document.keys[1:]), rules=rules, signals=())


def swapped_labels(document: Cpix) -> Cpix:
    first, second, *rest = document.rules
    turned = (replace(first, track_type="SD", audio=False, pixels=second.pixels), replace(second, track_type="AUDIO"), *rest)
    return replace(document, rules=turned)


def one_key_for_all(document: Cpix) -> Cpix:
    return replace(document, keys=tuple(replace(key, key=b"k" * 16) for key in document.keys))


def zeros(document: Cpix) -> Cpix:
    return replace(document, keys=(replace(document.keys[0], key=bytes(16)), *document.keys[1:]))


def unanswered(document: Cpix) -> Cpix:
    return replace(document, keys=tuple(replace(key, key=None) for key in document.keys))


def fewer(document: Cpix) -> Cpix:
    return replace(document, keys=document.keys[1:], rules=document.rules[1:], signals=())


def one_more(document: Cpix) -> Cpix:
    extra = b"x" * 16
    return replace(
        document, keys=(*document.keys, CpixKey(kid=extra, key=extra)), rules=(*document.rules, rule_for(extra, "UHD1"))
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_kid, "other KIDs"),
        (fewer, "other KIDs"),
        (one_more, "other KIDs"),
        (lambda document: replace(document, content_id="other"), "another content"),
        (
            lambda document: replace(document, keys=tuple(replace(key, content_id="other") for key in document.keys)),
            "another content",
        ),
        (
            lambda document: replace(document, keys=tuple(replace(key, scheme="cenc") for key in document.keys)),
            "another scheme",
        ),
        (lambda document: replace(document, rules=()), "no usage rule"),
        (swapped_labels, "not to AUDIO"),
        (one_key_for_all, "one key for several labels"),
        (zeros, "nothing but zeros"),
        (unanswered, "no value"),
    ],
)
def test_a_server_that_lies_changes_nothing(
    store: KeyStore, tmp_path: Path, change: Callable[[Cpix], Cpix], words: str
) -> None:
    with serving(tmp_path, telling(change)) as local, pytest.raises(KeySourceError, match=words) as caught:
        fetch(store, SpekeServer(server=local.server))
    assert store.keys() == ()
    assert "6b6b6b" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Told(body=b"<html>Sign in</html>"), "no CPIX"),
        (Told(body=b""), "no XML"),
        (Told(body=b'<!DOCTYPE C [<!ENTITY a "b">]><CPIX xmlns="urn:dashif:org:cpix">&a;</CPIX>'), "document type"),
        (Told(status=401), "credentials"),
        (Told(status=503), "try again later"),
        (Told(instead=stall), "no whole answer"),
        (Told(instead=hang_up), "broke off"),
        (Told(instead=endless), "more than"),
    ],
)
def test_a_server_that_fails_changes_nothing(store: KeyStore, tmp_path: Path, told: Told, words: str) -> None:
    with serving(tmp_path, lambda asked: told) as local, pytest.raises(KeySourceError, match=words):
        fetch(store, SpekeServer(server=local.server))
    assert store.keys() == ()


def test_a_short_key_is_refused_unseen(store: KeyStore, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Told:
        return Told(
            body=write_cpix(filled(asked)).replace(b"</pskc:PlainValue>", b"</pskc:PlainValue>").replace(b"==</pskc", b"</pskc")
        )

    def short(asked: Asked) -> Told:
        root = etree.fromstring(write_cpix(filled(asked)))
        for value in root.findall(".//pskc:PlainValue", NAMESPACES):
            value.text = "a2tra2tr"
        return Told(body=etree.tostring(root))

    for wrong, words in ((answer, "not base64"), (short, "6 bytes")):
        with serving(tmp_path, wrong) as local, pytest.raises(KeySourceError, match=words) as caught:
            fetch(store, SpekeServer(server=local.server))
        assert "a2tr" not in str(caught.value)


def test_clear_keys_are_refused_where_encrypted_ones_were_asked_for(store: KeyStore, tmp_path: Path) -> None:
    source = lambda local: SpekeServer(server=local.server, recipient=pair("ours"))  # noqa: E731
    with serving(tmp_path, telling()) as local, pytest.raises(KeySourceError, match="asked for encrypted"):
        fetch(store, source(local))
    to_others = lambda asked: Told(body=write_cpix(filled(asked), certificate=pair("theirs").certificate))  # noqa: E731
    with serving(tmp_path, to_others) as local, pytest.raises(KeySourceError, match="encrypted to others"):
        fetch(store, source(local))


def test_an_encrypted_answer_with_a_bad_mac_is_refused(store: KeyStore, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Told:
        root = etree.fromstring(write_cpix(filled(asked), certificate=pair("ours").certificate))
        mac = root.find(".//pskc:ValueMAC", NAMESPACES)
        assert mac is not None
        mac.text = "AAAA" + (mac.text or "")[4:]
        return Told(body=etree.tostring(root))

    with serving(tmp_path, answer) as local, pytest.raises(KeySourceError, match="MAC does not fit"):
        fetch(store, SpekeServer(server=local.server, recipient=pair("ours")))


def test_a_server_of_another_version_is_refused(store: KeyStore, tmp_path: Path) -> None:
    with (
        serving(tmp_path, telling(headers={"X-Speke-Version": "1.0"})) as local,
        pytest.raises(KeySourceError, match=r"'1\.0'"),
    ):
        fetch(store, SpekeServer(server=local.server))


def test_a_server_that_changes_its_mind_about_a_key_is_refused(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local:
        keys = fetch(store, SpekeServer(server=local.server))
    new = lambda document: replace(document, keys=tuple(replace(key, key=key.kid) for key in document.keys))  # noqa: E731
    with serving(tmp_path, telling(new)) as local, pytest.raises(KeyStoreError, match="in the store already"):
        fetch(store, SpekeServer(server=local.server))
    assert store.content_keys("film", LABELS) == keys


def test_a_server_error_says_whether_a_retry_may_help(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, lambda asked: Told(status=500)) as local, pytest.raises(KeyServerError) as caught:
        fetch(store, SpekeServer(server=local.server))
    assert (caught.value.transient, caught.value.exit_code) == (True, 4)
