"""CPIX documents in bad hands: bytes and elements changed, dropped, doubled, moved; for the tests and for longer runs."""

import random
from collections.abc import Iterator

from lxml import etree

from mediaforge.errors import KeySourceError
from mediaforge.package.keys import ContentKey
from mediaforge.package.keysources.cpix import cpix_of, outside_keys, title_of
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from tests.package.keypairs import pair

_KEYS = tuple(
    ContentKey(kid=bytes([n]) * 16, key=bytes([n + 100]) * 16, iv=bytes(16), label=label, title="film")
    for n, label in enumerate(("AUDIO", "SD", "HD"))
)
DOCUMENT = cpix_of("film", _KEYS, scheme="cbcs", version="2.4")
_WORDS = ("", "0", "-1", "A" * 300, "AAAA", "é", "\t", "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "#x", "urn:x")


def mutated_documents(seed: int) -> Iterator[bytes]:
    """Without end; half of them are still XML, so that what is inside gets read."""
    rng = random.Random(seed)
    good = [
        write_cpix(DOCUMENT),
        write_cpix(DOCUMENT, certificate=pair("theirs").certificate),
        write_cpix(DOCUMENT, certificate=pair("theirs").certificate, signer=pair("ours")),
    ]
    while True:
        content = rng.choice(good)
        yield _bytes_changed(content, rng) if rng.random() < 0.5 else _tree_changed(content, rng)


def _bytes_changed(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 40)]
            case 2:
                data[at:at] = data[at : at + rng.randint(1, 200)]
            case _:
                data[at:at] = rng.choice((b"&lt;", b"<x/>", b"]]>", b"&#0;", b"\0", b"<!--", b"=="))
    return bytes(data)


def _tree_changed(content: bytes, rng: random.Random) -> bytes:
    root = etree.fromstring(content)
    for _ in range(rng.randint(1, 3)):
        element = rng.choice([element for element in root.iter() if isinstance(element.tag, str)])
        parent = element.getparent()
        match rng.randrange(5):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(etree.fromstring(etree.tostring(element)))
            case 2 if parent is not None:
                rng.choice(list(root.iter("*"))).append(etree.fromstring(etree.tostring(element)))
            case 3 if element.attrib:
                element.set(str(rng.choice(list(element.attrib))), rng.choice(_WORDS))
            case _:
                element.text = rng.choice(_WORDS)
    return etree.tostring(root)


def read_whole(content: bytes) -> None:
    """All that our code does with a document. Raises KeySourceError, and nothing else, for one that is wrong.

    What is taken as signed is what was signed, whatever was done to it on its way.
    """
    theirs, ours = pair("theirs"), pair("ours")
    refused = 0
    try:
        document = read_cpix(content, source="it.xml", private_key=theirs.key)
        outside_keys(document, source="it.xml")
        title_of(document, source="it.xml")
    except KeySourceError:
        refused += 1
    try:
        assert read_cpix(content, source="it.xml", private_key=theirs.key, signed_by=ours.certificate) == DOCUMENT
    except KeySourceError:
        refused += 1
    if refused:
        raise KeySourceError("it.xml", "refused")
