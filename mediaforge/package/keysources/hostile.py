"""XML from outside: bounded, without document types, entities or network. What is wrong becomes one sentence."""

import base64
import binascii

from lxml import etree

from mediaforge.errors import KeySourceError

MOST_XML_BYTES = 4_000_000  # a CPIX document of a thousand keys with three systems each has about 3 MB


def read_xml(content: bytes, *, source: str) -> etree._Element:
    """The root element. Raises KeySourceError."""
    if len(content) > MOST_XML_BYTES:
        raise KeySourceError(source, f"is longer than {MOST_XML_BYTES} bytes; that is no document of keys")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise KeySourceError(source, f"is no XML ({_first_words(error)})") from None  # the cause may quote what it read
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or tree.docinfo.externalDTD is not None:
        raise KeySourceError(source, "declares a document type; documents of keys have none, so this one is not read")
    return root


def from_base64(text: str | None, what: str, *, source: str) -> bytes:
    """What an element or attribute of xs:base64Binary holds. The text itself may be a key and stays out of the error."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeySourceError(source, f"{what} is not base64") from None


def _first_words(error: Exception) -> str:
    """The kind of fault and its place; never the text around it."""
    position = getattr(error, "position", None)
    return f"line {position[0]}, column {position[1]}" if position else "it cannot be parsed"
