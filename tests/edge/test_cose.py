"""RFC 8392, appendix A, and what is not a message."""

from dataclasses import replace

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mediaforge.edge.cose import HMAC_256_64, encrypt0, is_signed, is_tagged, mac0, open_encrypt0, split_cwt

# A.2.2, A.1 and A.4
KEY = bytes.fromhex("403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388")
CLAIMS = bytes.fromhex(
    "a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c65"
    "2e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b71"
)
MACED = bytes.fromhex(
    "d83dd18443a10104a1044c53796d6d65747269633235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b"
    "77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7148093101ef6d789200"
)

# A.2.3 and A.3, with the tag of A.4 in front
PUBLIC = ec.EllipticCurvePublicNumbers(
    x=0x143329CCE7868E416927599CF65A34F3CE2FFDA55A7ECA69ED8919A394D42F0F,
    y=0x60F7F1A780D8A783BFB7A2DD6B2796E8128DBBCEF9D3D168DB9529971A36E7B9,
    curve=ec.SECP256R1(),
).public_key()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SIGNED = (
    bytes.fromhex("d83dd28443a10126a104524173796d6d657472696345434453413235365850")
    + CLAIMS
    + bytes.fromhex(
        "58405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b6"
        "3632c57209120e1c9e30"
    )
)


def test_the_example_of_the_rfc_is_what_we_write() -> None:
    assert mac0(CLAIMS, kid=b"Symmetric256", key=KEY, algorithm=HMAC_256_64) == MACED


def test_the_example_of_the_rfc_is_what_we_read() -> None:
    assert is_tagged(split_cwt(MACED), KEY, algorithm=HMAC_256_64)
    assert is_signed(split_cwt(SIGNED), PUBLIC)
    assert split_cwt(MACED).payload == split_cwt(SIGNED).payload == CLAIMS
    assert cbor2.loads(CLAIMS)[7] == bytes.fromhex("0b71")


def test_the_algorithm_is_not_the_messages_to_choose() -> None:
    assert not is_tagged(split_cwt(MACED), KEY)
    assert not is_tagged(split_cwt(SIGNED), KEY)
    assert not is_signed(split_cwt(MACED), PUBLIC)


@pytest.mark.parametrize("at", range(6, len(MACED)))
def test_no_bit_of_a_message_can_be_another(at: int) -> None:
    changed = MACED[:at] + bytes([MACED[at] ^ 1]) + MACED[at + 1 :]
    try:
        cwt = split_cwt(changed)
    except ValueError:
        return
    # The kid only chooses the key.
    assert not is_tagged(cwt, KEY, algorithm=HMAC_256_64) or cwt.kid != b"Symmetric256"


@pytest.mark.parametrize("at", range(len(SIGNED)))
def test_no_bit_of_a_signed_message_can_be_another(at: int) -> None:
    changed = SIGNED[:at] + bytes([SIGNED[at] ^ 1]) + SIGNED[at + 1 :]
    try:
        cwt = split_cwt(changed)
    except ValueError:
        return
    assert not is_signed(cwt, PUBLIC) or cwt.kid != b"AsymmetricECDSA256"


@pytest.mark.parametrize("number", [0, 1, ORDER - 1, ORDER, 2**256 - 1])
def test_a_signature_of_odd_numbers_is_none(number: int) -> None:
    half = number.to_bytes(32, "big")
    assert not is_signed(replace(split_cwt(SIGNED), seal=half + half), PUBLIC)
    assert not is_signed(replace(split_cwt(SIGNED), seal=half), PUBLIC)


@pytest.mark.parametrize("length", range(len(MACED)))
def test_a_cut_message_is_none(length: int) -> None:
    with pytest.raises(ValueError):
        split_cwt(MACED[:length])


def test_lengths_have_one_spelling() -> None:
    longer = MACED.replace(bytes.fromhex("4c53796d"), bytes.fromhex("580c53796d"))
    with pytest.raises(ValueError, match="shortest"):
        split_cwt(longer)
    with pytest.raises(ValueError, match="after the end"):
        split_cwt(MACED + b"\0")


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 8192])
def test_payloads_of_every_length_come_back(size: int) -> None:
    message = mac0(b"x" * size, kid=b"1", key=KEY)
    assert is_tagged(split_cwt(message), KEY)
    assert split_cwt(message).payload == b"x" * size
    assert cbor2.loads(message).value.value[2] == b"x" * size  # another reader sees the same


def test_what_is_encrypted_opens_with_its_key_alone() -> None:
    sealed = encrypt0(b"pattern", key=KEY, nonce=b"n" * 12)
    assert open_encrypt0(sealed, KEY) == b"pattern"
    assert b"pattern" not in sealed
    with pytest.raises(ValueError, match="InvalidTag"):
        open_encrypt0(sealed, bytes(32))
    with pytest.raises(ValueError, match="COSE_Encrypt0"):
        open_encrypt0(cbor2.dumps([1, 2, 3]), KEY)
