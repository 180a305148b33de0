"""Tokens that entitle a player to a licence: who may have which keys of a title, until when, and on what devices.

    axinom   Axinom DRM's licence service message: a JWT around an entitlement message, version 2
    jwt      a plain JWT (RFC 7519) that names the keys and the rules in claims of its own

Both are signed by HMAC-SHA256 with a secret that the licence server holds too. Neither holds a content key. What a label
asks of a device is in POLICIES. Pure: the time and the token's id are passed in.
"""

import base64
import binascii
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jwt

from mediaforge.errors import CheckError, SettingsError
from mediaforge.package.secretfile import read_secret_file

LEAST_SECRET_BYTES = 32  # RFC 7518, 3.2: a key of HS256 is at least as long as its hash
MOST_TOKEN_BYTES = 16_384
ISSUER = "mediaforge"


class Form(StrEnum):
    AXINOM = "axinom"
    JWT = "jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The least that a device must have. `hdcp` empty: none is asked for."""

    widevine: str
    playready: int
    hdcp: str = ""


_OPEN = Policy(widevine="SW_SECURE_CRYPTO", playready=2000)
_ULTRA = Policy(widevine="HW_SECURE_ALL", playready=3000, hdcp="2.2")

# What licensors commonly ask: sound and SD on any device, HD where pictures stay in hardware, UHD there and over HDCP 2.2.
POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        "AUDIO": _OPEN,
        "SD": _OPEN,
        "HD": Policy(widevine="HW_SECURE_ALL", playready=2000, hdcp="1.0"),
        "UHD1": _ULTRA,
        "UHD2": _ULTRA,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitledKey:
    kid: bytes
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """`begins` and `ends` in UTC, whole seconds. Axinom's form has no place for `title` and `subject` (the viewer)."""

    token_id: str
    keys: tuple[EntitledKey, ...]
    begins: datetime
    ends: datetime
    title: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSecret:
    """What we share with a licence server: its name (`com_key_id` there) and the secret."""

    name: str
    secret: bytes = field(repr=False)


def load_token_secret(path: Path) -> TokenSecret:
    """A TOML file of mode 0600: `id` and `key`, the key in base64. Raises SettingsError, which never quotes the file."""
    try:
        table = tomllib.loads(read_secret_file(path).decode())
        name, secret = table["id"], base64.b64decode(table["key"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise SettingsError(f'{path} is no file of a token secret; write `id = "..."` and `key = "base64"`') from None
    if not isinstance(name, str) or not name:
        raise SettingsError(f'{path}: id is no text; write `id = "..."` as the licence server names the secret')
    if len(secret) < LEAST_SECRET_BYTES:
        raise SettingsError(f"{path}: key has {len(secret)} bytes; HMAC-SHA256 wants at least {LEAST_SECRET_BYTES}")
    return TokenSecret(name=name, secret=secret)


def mint(form: Form, entitlement: Entitlement, secret: TokenSecret) -> str:
    """The signed token."""
    claims = _axinom(entitlement, secret) if form is Form.AXINOM else _plain(entitlement)
    headers = {"kid": secret.name} if form is Form.JWT else None
    return jwt.encode(claims, secret.secret, algorithm="HS256", headers=headers)


def verify_token(form: Form, token: str, secret: TokenSecret, *, now: datetime) -> Entitlement:
    """What the token says, if its signature holds and it is valid now. Raises CheckError."""
    if len(token) > MOST_TOKEN_BYTES:
        raise CheckError(f"the token is longer than {MOST_TOKEN_BYTES} bytes; it is not one of ours")
    try:
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        claims = jwt.decode(token, secret.secret, algorithms=["HS256"], options=options)  # times are held against `now` below
    except jwt.PyJWTError as error:
        what = f"the token is not signed with secret {secret.name} ({type(error).__name__}); mint it anew"
        raise CheckError(what) from None
    try:
        entitlement = _from_axinom(claims, secret) if form is Form.AXINOM else _from_plain(claims)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise CheckError(f"the token is signed, but has not the form {form}; name the form that it has") from None
    if not entitlement.begins <= now < entitlement.ends:
        times = f"from {entitlement.begins.isoformat()} to {entitlement.ends.isoformat()}"
        raise CheckError(f"the token is valid {times}, which is not now; mint a new one")
    return entitlement


def _axinom(entitlement: Entitlement, secret: TokenSecret) -> dict[str, Any]:
    """docs.axinom.com: licence service message 1, entitlement message 2."""
    labels = dict.fromkeys(key.label for key in entitlement.keys)
    return {
        "version": 1,
        "id": entitlement.token_id,
        "com_key_id": secret.name,
        "begin_date": entitlement.begins.isoformat(),
        "expiration_date": entitlement.ends.isoformat(),
        "message": {
            "type": "entitlement_message",
            "version": 2,
            "content_keys_source": {
                "inline": [{"id": _uuid(key.kid), "usage_policy": key.label} for key in entitlement.keys],
            },
            "content_key_usage_policies": [_axinom_policy(label) for label in labels],
        },
    }


def _axinom_policy(label: str) -> dict[str, Any]:
    policy = POLICIES[label]
    widevine = {"device_security_level": policy.widevine} | ({"hdcp": policy.hdcp} if policy.hdcp else {})
    # FairPlay knows two kinds of HDCP: type 0 is any, type 1 is 2.2 and later.
    fairplay = {"fairplay": {"hdcp": "TYPE1" if policy.hdcp >= "2" else "TYPE0"}} if policy.hdcp else {}
    return {"name": label, "widevine": widevine, "playready": {"min_device_security_level": policy.playready}, **fairplay}


def _from_axinom(claims: dict[str, Any], secret: TokenSecret) -> Entitlement:
    message = claims["message"]
    if (claims["version"], message["type"], message["version"]) != (1, "entitlement_message", 2):
        raise ValueError("another message")
    if claims["com_key_id"] != secret.name:
        raise ValueError("another secret")
    return Entitlement(
        token_id=claims["id"],
        keys=tuple(
            EntitledKey(kid=uuid.UUID(row["id"]).bytes, label=_label(row["usage_policy"]))
            for row in message["content_keys_source"]["inline"]
        ),
        begins=_moment(claims["begin_date"]),
        ends=_moment(claims["expiration_date"]),
    )


def _plain(entitlement: Entitlement) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "jti": entitlement.token_id,
        "nbf": int(entitlement.begins.timestamp()),
        "exp": int(entitlement.ends.timestamp()),
        **({"sub": entitlement.subject} if entitlement.subject else {}),
        "title": entitlement.title,
        "keys": [_plain_key(key) for key in entitlement.keys],
    }


def _plain_key(key: EntitledKey) -> dict[str, Any]:
    policy = POLICIES[key.label]
    rules = {"widevine_security_level": policy.widevine, "playready_security_level": policy.playready}
    return {"kid": _uuid(key.kid), "label": key.label, **rules, **({"hdcp": policy.hdcp} if policy.hdcp else {})}


def _from_plain(claims: dict[str, Any]) -> Entitlement:
    if claims["iss"] != ISSUER:
        raise ValueError("another issuer")
    return Entitlement(
        token_id=claims["jti"],
        keys=tuple(EntitledKey(kid=uuid.UUID(row["kid"]).bytes, label=_label(row["label"])) for row in claims["keys"]),
        begins=datetime.fromtimestamp(claims["nbf"], UTC),
        ends=datetime.fromtimestamp(claims["exp"], UTC),
        title=claims["title"],
        subject=claims.get("sub", ""),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _label(name: str) -> str:
    if name not in POLICIES:
        raise ValueError("an unknown label")
    return name


def _uuid(kid: bytes) -> str:
    return str(uuid.UUID(bytes=kid))
