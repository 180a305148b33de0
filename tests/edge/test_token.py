"""Tokens of hand-made sessions, and every way that one is refused."""

import base64
from collections.abc import Callable
from dataclasses import replace

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mediaforge.edge.cose import mac0, split_cwt
from mediaforge.edge.token import (
    CLOCK_SECONDS,
    MOST_TOKEN_CHARACTERS,
    Algorithm,
    EdgeKey,
    Refusal,
    Session,
    TokenRefused,
    cookie_digest,
    mint_token,
    pattern_bytes,
    pattern_variants,
    signing_key,
    verify_token,
)
from mediaforge.errors import CheckError

KEY = EdgeKey(kid=b"1", mac=b"m" * 32, pattern=b"p" * 32, signer=signing_key(b"s" * 64))
KEYS = {KEY.kid: KEY}
SESSION = Session(session_id=b"0123456789abcdef", title="atlas", variants="AAAABABAAAAABABB", issued=1000, expires=1600)
NONCE = b"n" * 12


def token(session: Session = SESSION, key: EdgeKey = KEY) -> str:
    return mint_token(session, key, nonce=NONCE)


def es256_token(session: Session = SESSION, key: EdgeKey = KEY) -> str:
    return mint_token(session, key, nonce=NONCE, algorithm=Algorithm.ES256)


def refusal(text: str, **shown: object) -> Refusal:
    with pytest.raises(TokenRefused) as caught:
        verify_token(text, KEYS, **{"title": "atlas", "now": 1000, **shown})  # type: ignore[arg-type]
    return caught.value.refusal


def payload(text: str) -> bytes:
    return split_cwt(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).payload


def signed(claims: object) -> str:
    return base64.urlsafe_b64encode(mac0(cbor2.dumps(claims), kid=KEY.kid, key=KEY.mac)).rstrip(b"=").decode()


def test_a_pattern_is_the_example_of_the_standard() -> None:
    assert pattern_bytes("AAAABABAAAAABABB").hex() == "0a0b"  # TS 104 002, 5.4: 0x0A0B0C0D, position 3 is 0
    assert pattern_variants(bytes.fromhex("0a0b0c0d"), 32)[3] == "A"


@pytest.mark.parametrize("variants", ["A", "B", "BA", "ABABABAB", "BBBBBBBBB", "A" * 65_535])
def test_a_pattern_of_any_length_comes_back(variants: str) -> None:
    assert pattern_variants(pattern_bytes(variants), len(variants)) == variants


def test_what_was_minted_is_what_is_verified() -> None:
    assert verify_token(token(), KEYS, title="atlas", now=1599.9) == SESSION


def test_a_signed_token_says_the_same_and_needs_no_secret_to_be_verified() -> None:
    assert payload(es256_token()) == payload(token())
    assert verify_token(es256_token(), KEYS, title="atlas", now=1599.9) == SESSION
    assert es256_token() == es256_token()  # RFC 6979
    assert refusal(es256_token(key=replace(KEY, signer=signing_key(b"x" * 64)))) is Refusal.SIGNATURE


def test_a_public_key_seals_nothing() -> None:
    """The classic confusion: a tag made with what verifies a signature (RFC 8725, 2.1)."""
    public = KEY.signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for key in (public, public[-65:], public[-64:]):
        forged = mac0(payload(token()), kid=KEY.kid, key=key)
        assert refusal(base64.urlsafe_b64encode(forged).rstrip(b"=").decode()) is Refusal.SIGNATURE


def test_the_claims_are_those_of_the_standard() -> None:
    claims = cbor2.loads(payload(token()))
    assert {4: 1600, 6: 1000, 7: b"0123456789abcdef", 300: 1, 302: 16}.items() <= claims.items()
    assert cbor2.loads(claims[304]).tag == 16
    assert list(claims) == sorted(claims, key=cbor2.dumps)  # RFC 8949, 4.2.1: deterministic


def test_a_viewer_cannot_read_the_sequence() -> None:
    raw = base64.urlsafe_b64decode(token() + "==")
    assert pattern_bytes(SESSION.variants) not in raw
    assert SESSION.variants not in repr(SESSION)
    assert "mmmm" not in repr(KEY)


def test_a_token_ends_and_does_not_begin_before_it_was_minted() -> None:
    assert refusal(token(), now=1600) is Refusal.EXPIRED
    assert refusal(token(), now=1000 - CLOCK_SECONDS - 1) is Refusal.EARLY
    assert verify_token(token(), KEYS, title="atlas", now=1000 - CLOCK_SECONDS)


def test_a_token_is_for_one_title() -> None:
    assert refusal(token(), title="rif") is Refusal.TITLE


def test_a_token_of_another_key_is_refused() -> None:
    assert refusal(token(key=replace(KEY, mac=b"x" * 32))) is Refusal.SIGNATURE
    assert refusal(token(key=replace(KEY, kid=b"2"))) is Refusal.SIGNATURE


def test_two_keys_are_valid_while_one_takes_over_from_the_other() -> None:
    new = EdgeKey(kid=b"2", mac=b"M" * 32, pattern=b"P" * 32, signer=signing_key(b"S" * 64))
    both = {**KEYS, new.kid: new}
    assert verify_token(token(), both, title="atlas", now=1000) == verify_token(token(key=new), both, title="atlas", now=1000)


def test_a_token_of_an_address_is_no_use_elsewhere() -> None:
    bound = token(replace(SESSION, address="192.0.2.7"))
    assert refusal(bound, address="192.0.2.8") is Refusal.ADDRESS
    assert refusal(bound) is Refusal.ADDRESS
    assert verify_token(bound, KEYS, title="atlas", now=1000, address="192.0.2.7")


def test_a_token_of_a_cookie_is_no_use_without_it() -> None:
    bound = token(replace(SESSION, cookie=cookie_digest("crumb")))
    assert refusal(bound) is Refusal.COOKIE
    assert refusal(bound, cookie="other") is Refusal.COOKIE
    assert verify_token(bound, KEYS, title="atlas", now=1000, cookie="crumb")


@pytest.mark.parametrize("mint", [token, es256_token])
def test_no_character_of_a_token_can_be_another(mint: Callable[[], str]) -> None:
    text = mint()
    for at, letter in enumerate(text):
        changed = text[:at] + ("A" if letter != "A" else "B") + text[at + 1 :]
        assert refusal(changed) in (Refusal.MALFORMED, Refusal.SIGNATURE)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "%", "é", "====", "AA==", "../..", "A" * (MOST_TOKEN_CHARACTERS + 1)])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refusal(text) is Refusal.MALFORMED


def test_a_token_has_one_spelling() -> None:
    assert refusal(token() + "=") is Refusal.MALFORMED
    raw = base64.urlsafe_b64decode(token() + "=" * (-len(token()) % 4))
    untagged = base64.urlsafe_b64encode(raw[2:]).rstrip(b"=").decode()
    assert refusal(untagged) is Refusal.MALFORMED


@pytest.mark.parametrize("claim", [4, 6, 7, 300, 301, 302, 304, -65_537])
def test_a_signed_token_without_a_claim_is_refused(claim: int) -> None:
    claims = cbor2.loads(payload(token()))
    assert refusal(signed({key: value for key, value in claims.items() if key != claim})) is Refusal.MALFORMED
    assert refusal(signed({**claims, claim: None})) is Refusal.MALFORMED


@pytest.mark.parametrize("value", [[], 1, None, "text", {}])
def test_a_signed_token_of_other_claims_is_refused(value: object) -> None:
    assert refusal(signed(value)) is Refusal.MALFORMED


def test_claims_of_the_rfc_are_heeded_where_they_are_present() -> None:
    claims = cbor2.loads(payload(token()))
    assert refusal(signed({**claims, 5: 2000})) is Refusal.EARLY
    assert refusal(signed({**claims, 5: "later"})) is Refusal.MALFORMED
    assert refusal(signed({**claims, 3: "somebody"})) is Refusal.TITLE


def test_a_title_too_long_for_a_token_is_said() -> None:
    with pytest.raises(CheckError, match="longer segments"):
        token(replace(SESSION, variants="A" * 65_536))
