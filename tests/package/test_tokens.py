import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import jwt
import pytest

from mediaforge.errors import CheckError, SettingsError
from mediaforge.package.keys import LABELS
from mediaforge.package.tokens import (
    POLICIES,
    EntitledKey,
    Entitlement,
    Form,
    TokenSecret,
    load_token_secret,
    mint,
    verify_token,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = TokenSecret(name="12196546-a312-4a4e-ab65-c19bccce1adf", secret=bytes(range(32)))
KEYS = (EntitledKey(kid=bytes(range(16)), label="AUDIO"), EntitledKey(kid=bytes(range(16, 32)), label="HD"))
ENTITLEMENT = Entitlement(token_id="1", keys=KEYS, begins=NOW, ends=NOW + timedelta(hours=1), title="atlas", subject="viewer-7")
HALFWAY = NOW + timedelta(minutes=30)


def parts(token: str) -> tuple[dict[str, object], dict[str, object]]:
    head, body, _ = token.split(".")
    return json.loads(base64.urlsafe_b64decode(head + "==")), json.loads(base64.urlsafe_b64decode(body + "=="))


def test_a_plain_token_says_again_what_it_was_minted_for() -> None:
    token = mint(Form.JWT, ENTITLEMENT, SECRET)
    assert verify_token(Form.JWT, token, SECRET, now=HALFWAY) == ENTITLEMENT


def test_an_axinom_token_says_all_but_title_and_subject() -> None:
    token = mint(Form.AXINOM, ENTITLEMENT, SECRET)
    assert verify_token(Form.AXINOM, token, SECRET, now=HALFWAY) == replace(ENTITLEMENT, title="", subject="")


def test_the_signature_is_hmac_sha256_over_head_and_body() -> None:
    for form in Form:
        signed, _, signature = mint(form, ENTITLEMENT, SECRET).rpartition(".")
        digest = hmac.new(SECRET.secret, signed.encode(), hashlib.sha256).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == signature
        assert parts(signed + ".x")[0]["alg"] == "HS256"


def test_an_axinom_message_has_the_documented_form() -> None:
    _, claims = parts(mint(Form.AXINOM, ENTITLEMENT, SECRET))
    assert claims["version"] == 1
    assert claims["com_key_id"] == SECRET.name
    assert claims["expiration_date"] == "2026-11-22T13:00:00+00:00"
    message = claims["message"]
    assert message["type"] == "entitlement_message"  # type: ignore[index]
    assert message["content_keys_source"]["inline"] == [  # type: ignore[index]
        {"id": "00010203-0405-0607-0809-0a0b0c0d0e0f", "usage_policy": "AUDIO"},
        {"id": "10111213-1415-1617-1819-1a1b1c1d1e1f", "usage_policy": "HD"},
    ]
    audio, hd = message["content_key_usage_policies"]  # type: ignore[index]
    assert audio == {
        "name": "AUDIO",
        "widevine": {"device_security_level": "SW_SECURE_CRYPTO"},
        "playready": {"min_device_security_level": 2000},
    }
    assert hd["widevine"] == {"device_security_level": "HW_SECURE_ALL", "hdcp": "1.0"}
    assert hd["fairplay"] == {"hdcp": "TYPE0"}


def test_more_pixels_never_ask_less_of_a_device() -> None:
    levels = ["SW_SECURE_CRYPTO", "SW_SECURE_DECODE", "HW_SECURE_CRYPTO", "HW_SECURE_DECODE", "HW_SECURE_ALL"]
    asked = [(levels.index(POLICIES[label].widevine), POLICIES[label].playready, POLICIES[label].hdcp) for label in LABELS]
    for less, more in pairwise(asked):
        assert all(one <= other for one, other in zip(less, more, strict=True))  # type: ignore[operator]
    assert asked[0] < asked[-1]


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("now", [NOW - timedelta(seconds=1), NOW + timedelta(hours=1)])
def test_a_token_is_valid_from_its_begin_to_before_its_end(form: Form, now: datetime) -> None:
    token = mint(form, ENTITLEMENT, SECRET)
    assert verify_token(form, token, SECRET, now=NOW).keys == KEYS
    with pytest.raises(CheckError, match="not now"):
        verify_token(form, token, SECRET, now=now)


@pytest.mark.filterwarnings("ignore:The HMAC key is 32 bytes long")  # only to sign by an algorithm that must be refused
@pytest.mark.parametrize("form", list(Form))
def test_what_was_changed_or_signed_by_others_is_refused(form: Form) -> None:
    token = mint(form, ENTITLEMENT, SECRET)
    head, body, signature = token.split(".")
    other = jwt.encode({"iss": "mediaforge"}, b"x" * 32, algorithm="HS256")
    unsigned = jwt.encode(parts(token)[1], None, algorithm="none")
    longer = jwt.encode(parts(token)[1], SECRET.secret, algorithm="HS512")
    wrong = (
        f"{head}.{body}x.{signature}",
        f"{head}.{body}.",
        other,
        unsigned,
        longer,
        "",
        "a.b.c",
        "\0",
        "é" * 9,
        "x" * 20_000,
    )
    for text in wrong:
        with pytest.raises(CheckError) as caught:
            verify_token(form, text, SECRET, now=HALFWAY)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("form", list(Form))
def test_a_token_of_the_other_form_or_another_secrets_name_is_refused(form: Form) -> None:
    other = Form.JWT if form is Form.AXINOM else Form.AXINOM
    with pytest.raises(CheckError, match="has not the form"):
        verify_token(form, mint(other, ENTITLEMENT, SECRET), SECRET, now=HALFWAY)
    renamed = replace(SECRET, name="other")
    with pytest.raises(CheckError, match="has not the form"):
        verify_token(Form.AXINOM, mint(Form.AXINOM, ENTITLEMENT, renamed), SECRET, now=HALFWAY)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": "soon"},
        {"exp": 1e40},
        {"keys": 7},
        {"keys": [{"kid": "x", "label": "SD"}]},
        {"keys": [{"label": "SD"}]},
        {"iss": "x"},
    ],
)
def test_signed_nonsense_is_refused(change: dict[str, object]) -> None:
    claims = parts(mint(Form.JWT, ENTITLEMENT, SECRET))[1] | change
    with pytest.raises(CheckError):
        verify_token(Form.JWT, jwt.encode(claims, SECRET.secret, algorithm="HS256"), SECRET, now=HALFWAY)
    odd = {"kid": str(uuid.uuid4()), "label": "8K"}
    with pytest.raises(CheckError):
        claims = parts(mint(Form.JWT, ENTITLEMENT, SECRET))[1] | {"keys": [odd]}
        verify_token(Form.JWT, jwt.encode(claims, SECRET.secret, algorithm="HS256"), SECRET, now=HALFWAY)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rubbish", "no file of a token secret"),
        ('id = "a"', "no file of a token secret"),
        ('id = "a"\nkey = "!!"', "no file of a token secret"),
        ('id = "a"\nkey = 7', "no file of a token secret"),
        ('id = 7\nkey = "hushhushhushhushhushhushhushhushhushhushhush"', "id is no text"),
        ('id = "a"\nkey = "hushhush"', "6 bytes"),
    ],
)
def test_a_secret_file_that_makes_no_sense_is_refused_unquoted(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "secret.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=words) as caught:
        load_token_secret(path)
    assert "hush" not in str(caught.value)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_token_secret(path)


def test_nothing_shows_the_secret() -> None:
    assert "\\x01" not in repr(SECRET)
