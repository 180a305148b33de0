"""PlayReady's key seed, and the files that describe a key source."""

import base64
import uuid
from pathlib import Path
from typing import Any

import pytest

from mediaforge.errors import KeySourceError, SettingsError
from mediaforge.package.keys import ContentKey, KeyStore
from mediaforge.package.keysources.cpix import cpix_of
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.package.keysources.playready import PlayReadySeed, seeded_key
from mediaforge.package.keysources.serverfile import load_key_source
from mediaforge.package.keysources.source import fetch_keys
from mediaforge.package.keysources.speke import SpekeServer
from mediaforge.package.keysources.widevine import WidevineServer
from mediaforge.package.pssh import playready_checksum
from tests.package.keypairs import secret_file

TEST_SEED = base64.b64decode("XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I")  # Microsoft's public one, for its test server

SPEKE = 'kind = "speke"\nurl = "https://keys.example/speke"\nversion = "2.1"\nrecipient = "ours.pem"\n[headers]\nA = "hush"\n'
AES = f'aes_key = "{"11" * 32}"\naes_iv = "{"22" * 16}"\n'
WIDEVINE = 'kind = "widevine"\nurl = "https://keys.example/cenc"\nsigner = "us"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "source.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("kid", "key"),
    [
        ("339c45b5-fb6d-4bd9-994c-eabd9d41c95b", base64.b64decode("pTfNwMplhBQG1SXnvyLXVA==")),
        ("8ba94ade-6eb9-449d-b44f-a5beefaf43b0", bytes.fromhex("DBFD6922C321C4BB486F4A1C44097ED6")),
    ],
)
def test_the_test_seed_gives_the_published_keys(kid: str, key: bytes) -> None:
    assert seeded_key(TEST_SEED, uuid.UUID(kid).bytes) == key


def test_the_checksum_of_a_published_key_is_the_published_one() -> None:
    kid = uuid.UUID("8ba94ade-6eb9-449d-b44f-a5beefaf43b0").bytes
    assert base64.b64encode(playready_checksum(kid, seeded_key(TEST_SEED, kid))) == b"Me48z71nuqY="


def test_a_longer_seed_is_cut_and_a_shorter_one_refused() -> None:
    assert seeded_key(TEST_SEED + b"more", bytes(16)) == seeded_key(TEST_SEED, bytes(16))
    with pytest.raises(SettingsError, match="at least 30"):
        PlayReadySeed(seed=TEST_SEED[:29])
    assert "XVBo" not in repr(PlayReadySeed(seed=TEST_SEED))


def test_a_seed_gives_a_title_its_keys(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    text = f'kind = "playready-seed"\nseed = "{base64.b64encode(TEST_SEED).decode()}"\n'
    source = load_key_source(write(tmp_path, text))
    keys = fetch_keys(store, source, "film", ("SD", "HD"), scheme="cenc")
    assert all(key.key == seeded_key(TEST_SEED, key.kid) for key in keys)
    assert fetch_keys(store, source, "film", ("HD", "SD"), scheme="cenc") == keys[::-1]


def test_each_form_is_read(tmp_path: Path) -> None:
    secret_file(tmp_path, "ours")
    speke = load_key_source(write(tmp_path, SPEKE))
    assert isinstance(speke, SpekeServer)
    assert (speke.version, speke.server.headers, speke.server.name) == ("2.1", {"A": "hush"}, "keys.example")
    assert "hush" not in repr(speke)
    for signing in (AES, 'rsa_key = "ours.pem"\n'):
        assert isinstance(load_key_source(write(tmp_path, WIDEVINE + signing)), WidevineServer)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml", "no TOML"),
        ("", "kind"),
        ('kind = "ftp"', "ftp"),
        ('kind = "speke"', "url"),
        ('kind = "speke"\nurl = "http://keys.example"', "https://"),
        ('kind = "speke"\nurl = "https://keys.example"\nversion = "3"', "version"),
        ('kind = "speke"\nurl = "https://keys.example"\nuri = "x"', "uri"),
        ('kind = "speke"\nurl = "https://keys.example"\n[headers]\nA = "hush\\nB: evil"', "header 'A'"),
        ('kind = "speke"\nurl = "https://keys.example"\nrecipient = "none.pem"', "none.pem cannot be read"),
        (WIDEVINE, "give one of both"),
        (WIDEVINE + AES + 'rsa_key = "ours.pem"', "give one of both"),
        (WIDEVINE + 'aes_key = "hush"\naes_iv = "22"', "aes_key cannot be decoded"),
        (WIDEVINE + 'aes_key = "11"\naes_iv = "22"', "32 bytes"),
        ('kind = "playready-seed"\nseed = "hush"', "at least 30"),
    ],
)
def test_what_makes_no_sense_is_said_without_the_secrets(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_key_source(write(tmp_path, text))
    assert "source.toml" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SPEKE)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_key_source(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_key_source(tmp_path / "missing.toml")


def document(
    folder: Path, *, title: str = "film", labels: tuple[str, ...] = ("AUDIO", "SD", "HD"), scheme: str = "cbcs"
) -> Path:
    keys = tuple(
        ContentKey(kid=bytes([n]) * 16, key=bytes([n + 8]) * 16, iv=bytes([n + 64]) * 16, label=label, title=title)
        for n, label in enumerate(labels, start=1)
    )
    path = folder / "film.xml"
    path.write_bytes(write_cpix(cpix_of(title, keys, scheme=scheme, version="2.4")))
    return path


def test_a_cpix_document_is_a_source_by_itself_or_described(tmp_path: Path) -> None:
    path = document(tmp_path)
    described = write(tmp_path, 'kind = "cpix"\nfile = "film.xml"\n')
    for number, source in enumerate((load_key_source(path), load_key_source(described))):
        store = KeyStore(tmp_path / f"keys-{number}")
        keys = fetch_keys(store, source, "film", ("AUDIO", "HD"), scheme="cbcs")
        assert [(key.label, key.kid) for key in keys] == [("AUDIO", b"\1" * 16), ("HD", b"\3" * 16)]
        assert fetch_keys(store, source, "film", ("AUDIO", "HD"), scheme="cbcs") == keys


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"title": "other"}, "holds keys of 'other', not of film"),
        ({"scheme": "cenc"}, "holds keys for 'cenc' and not for cbcs"),
        ({"labels": ("AUDIO",)}, "gave keys for AUDIO and not for AUDIO, HD"),
    ],
)
def test_a_document_that_is_not_for_this_release_is_refused(facts: dict[str, Any], reason: str, tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(KeySourceError, match=reason):
        fetch_keys(store, load_key_source(document(tmp_path, **facts)), "film", ("AUDIO", "HD"), scheme="cbcs")
    assert store.keys() == ()


def test_a_document_that_is_not_there_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not there"):
        load_key_source(tmp_path / "none.xml")
