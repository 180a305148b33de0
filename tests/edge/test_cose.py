"""RFC 8392, appendix A, and what is not a message."""

import cbor2
import pytest

from mediaforge.edge.cose import HMAC_256_64, encrypt0, mac0, open_encrypt0, open_mac0, split_mac0

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


def test_the_example_of_the_rfc_is_what_we_write() -> None:
    assert mac0(CLAIMS, kid=b"Symmetric256", key=KEY, algorithm=HMAC_256_64) == MACED


def test_the_example_of_the_rfc_is_what_we_read() -> None:
    assert open_mac0(MACED, KEY, algorithm=HMAC_256_64) == CLAIMS
    assert cbor2.loads(CLAIMS)[7] == bytes.fromhex("0b71")


def test_the_algorithm_is_not_the_messages_to_choose() -> None:
    assert open_mac0(MACED, KEY) is None


@pytest.mark.parametrize("at", range(6, len(MACED)))
def test_no_bit_of_a_message_can_be_another(at: int) -> None:
    changed = MACED[:at] + bytes([MACED[at] ^ 1]) + MACED[at + 1 :]
    try:
        payload = open_mac0(changed, KEY, algorithm=HMAC_256_64)
        kid = split_mac0(changed)[1]
    except ValueError:
        return
    assert payload is None or kid != b"Symmetric256"  # the kid only chooses the key


@pytest.mark.parametrize("length", range(len(MACED)))
def test_a_cut_message_is_none(length: int) -> None:
    with pytest.raises(ValueError):
        split_mac0(MACED[:length])


def test_lengths_have_one_spelling() -> None:
    longer = MACED.replace(bytes.fromhex("4c53796d"), bytes.fromhex("580c53796d"))
    with pytest.raises(ValueError, match="shortest"):
        split_mac0(longer)
    with pytest.raises(ValueError, match="after the end"):
        split_mac0(MACED + b"\0")


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 8192])
def test_payloads_of_every_length_come_back(size: int) -> None:
    message = mac0(b"x" * size, kid=b"1", key=KEY)
    assert open_mac0(message, KEY) == b"x" * size
    assert cbor2.loads(message).value.value[2] == b"x" * size  # another reader sees the same


def test_what_is_encrypted_opens_with_its_key_alone() -> None:
    sealed = encrypt0(b"pattern", key=KEY, nonce=b"n" * 12)
    assert open_encrypt0(sealed, KEY) == b"pattern"
    assert b"pattern" not in sealed
    with pytest.raises(ValueError, match="InvalidTag"):
        open_encrypt0(sealed, bytes(32))
    with pytest.raises(ValueError, match="COSE_Encrypt0"):
        open_encrypt0(cbor2.dumps([1, 2, 3]), KEY)
