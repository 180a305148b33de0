"""A key source described in a TOML file of mode 0600, because it holds credentials; or a CPIX document as it stands.

    kind = "speke"                    kind = "widevine"                  kind = "playready-seed"
    url = "https://..."               url = "https://..."                seed = "base64"
    version = "2.0"                   signer = "our name"
    recipient = "ours.pem"            aes_key = "hex", aes_iv = "hex"
    ca = "authority.pem"              (or rsa_key = "ours.pem")      kind = "cpix"
    [headers]                         policy = "name"                file = "atlas.xml"
    Authorization = "..."             ca = "authority.pem"           private_key = "ours.pem"
                                                                     signed_by = "partner.pem"

Paths in it are relative to the file.
"""

import base64
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from mediaforge.errors import SettingsError
from mediaforge.package.keysources.cpix_file import CpixFile
from mediaforge.package.keysources.https import Server
from mediaforge.package.keysources.pem import load_certificate, load_private_key, load_signer
from mediaforge.package.keysources.playready import PlayReadySeed
from mediaforge.package.keysources.source import KeySource
from mediaforge.package.keysources.speke import SpekeServer
from mediaforge.package.keysources.widevine import Sign, WidevineServer, aes_signature, rsa_signature
from mediaforge.package.secretfile import read_secret_file

_DOCUMENTS = (".xml", ".cpix")  # of CPIX, with its keys in clear or else described by a TOML file


def load_key_source(path: Path) -> KeySource:
    """The source that the file describes, or is. Raises SettingsError, which never quotes the file."""
    if path.suffix.lower() in _DOCUMENTS:
        if not path.is_file():
            raise SettingsError(f"{path} is not there; name the document with the keys")
        return CpixFile(path=path)
    try:
        table = tomllib.loads(read_secret_file(path).decode())
    except ValueError:  # TOML's errors quote no values, but UTF-8's do
        raise SettingsError(f"{path} is no TOML; correct it") from None
    try:
        described = msgspec.convert(table, type=_Speke | _Widevine | _Seed | _Cpix)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path} describes no key source ({error}); see docs/keys.md for its four forms") from None
    try:
        return _source(described, path)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    pass


class _Speke(_Form, frozen=True, kw_only=True, tag="speke"):
    url: str
    version: Literal["2.0", "2.1"] = "2.0"
    recipient: str | None = None
    ca: str | None = None
    headers: dict[str, str] = {}


class _Widevine(_Form, frozen=True, kw_only=True, tag="widevine"):
    url: str
    signer: str
    aes_key: str | None = None
    aes_iv: str | None = None
    rsa_key: str | None = None
    policy: str = ""
    ca: str | None = None
    headers: dict[str, str] = {}


class _Seed(_Form, frozen=True, kw_only=True, tag="playready-seed"):
    seed: str


class _Cpix(_Form, frozen=True, kw_only=True, tag="cpix"):
    file: str
    private_key: str | None = None
    signed_by: str | None = None


def _source(described: "_Speke | _Widevine | _Seed | _Cpix", path: Path) -> KeySource:
    match described:
        case _Speke():
            recipient = load_signer(path.parent / described.recipient) if described.recipient else None
            return SpekeServer(server=_server(described, path), version=described.version, recipient=recipient)
        case _Widevine():
            sign = _signature(described, path)
            return WidevineServer(server=_server(described, path), signer=described.signer, sign=sign, policy=described.policy)
        case _Seed():
            return PlayReadySeed(seed=_decoded("seed", described.seed, base64.b64decode))
        case _Cpix():
            return CpixFile(
                path=path.parent / described.file,
                private_key=load_private_key(path.parent / described.private_key) if described.private_key else None,
                signed_by=load_certificate(path.parent / described.signed_by) if described.signed_by else None,
            )


def _server(described: "_Speke | _Widevine", path: Path) -> Server:
    for name, value in described.headers.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise SettingsError(f"header {name[:40]!r} holds what no HTTP header can; correct it")
    return Server(url=described.url, headers=described.headers, ca=path.parent / described.ca if described.ca else None)


def _signature(described: _Widevine, path: Path) -> Sign:
    if described.rsa_key is not None and described.aes_key is None and described.aes_iv is None:
        return rsa_signature(load_private_key(path.parent / described.rsa_key))
    if described.rsa_key is not None or described.aes_key is None or described.aes_iv is None:
        raise SettingsError("a Widevine request is signed by aes_key and aes_iv, or by rsa_key; give one of both")
    key = _decoded("aes_key", described.aes_key, bytes.fromhex)
    iv = _decoded("aes_iv", described.aes_iv, bytes.fromhex)
    if (len(key), len(iv)) != (32, 16):
        raise SettingsError("aes_key has 32 bytes and aes_iv 16, both in hex; correct them")
    return aes_signature(key, iv)


def _decoded(name: str, text: str, decode: Callable[[str], bytes]) -> bytes:
    try:
        return decode(text)
    except ValueError:
        raise SettingsError(f"{name} cannot be decoded; correct it") from None
