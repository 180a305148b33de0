"""A CPIX document read: 2.3 and 2.4, clear or encrypted to us, its signature verified. Everything in it is hostile."""

import re
import uuid
from collections import Counter

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from mediaforge.errors import KeySourceError
from mediaforge.package.keysources.cpix import Cpix, CpixKey, DrmSignal, UsageRule, Version
from mediaforge.package.keysources.cpix_names import AES256_CBC, CPIX, HMAC_SHA512, NAMESPACES, RSA_OAEP
from mediaforge.package.keysources.cpix_seal import DocumentKeys, unseal, unwrap
from mediaforge.package.keysources.cpix_sign import verified
from mediaforge.package.keysources.hostile import from_base64, read_xml

VERSIONS: tuple[Version, ...] = ("2.3", "2.4")
MOST_PIXELS = 2**32 - 1  # MAX_UINT32, the default of 7.4.18
SCHEMES = ("", "cenc", "cens", "cbc1", "cbcs")

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ENCRYPTED = "xenc:EncryptionMethod/@Algorithm"
_CIPHER = "xenc:CipherData/xenc:CipherValue"


def read_cpix(
    content: bytes,
    *,
    source: str,
    private_key: RSAPrivateKey | None = None,
    signed_by: x509.Certificate | None = None,
    only_encrypted: bool = False,
) -> Cpix:
    """The document. `private_key` opens its keys where they are encrypted; `signed_by` is who must have signed all of it.

    With `only_encrypted` a key in clear is refused: whoever asked for encryption must not be given less.
    Raises KeySourceError, which never holds a key.
    """
    root = read_xml(content, source=source)
    if root.tag != f"{{{CPIX}}}CPIX":
        raise KeySourceError(source, "is no CPIX document; its root is another element")
    if signed_by is not None:
        root = verified(root, signed_by, source=source)
    return _Reader(root, source, private_key, only_encrypted=only_encrypted).document()


class _Reader:
    """One document while it is read."""

    def __init__(self, root: etree._Element, source: str, private_key: RSAPrivateKey | None, *, only_encrypted: bool) -> None:
        self.root = root
        self.only_encrypted = only_encrypted
        self.source = source
        self.private_key = private_key
        self.secrets: DocumentKeys | None = None

    def document(self) -> Cpix:
        keys = tuple(self._key(element) for element in self._all("cpix:ContentKeyList/cpix:ContentKey"))
        kids = {key.kid for key in keys}
        if len(kids) != len(keys):
            twice = Counter(key.kid for key in keys).most_common(1)[0][0]
            raise self._fault(f"names key {twice.hex()} twice")
        signals = tuple(self._signal(element) for element in self._all("cpix:DRMSystemList/cpix:DRMSystem"))
        rules = tuple(self._rule(element) for element in self._all("cpix:ContentKeyUsageRuleList/cpix:ContentKeyUsageRule"))
        named = [signal.kid for signal in signals] + [rule.kid for rule in rules]
        stray = next((kid for kid in named if kid not in kids), None)
        if stray is not None:
            raise self._fault(f"has a rule or signal for key {stray.hex()}, which it does not hold")
        return Cpix(
            content_id=self.root.get("contentId") or "", keys=keys, rules=rules, signals=signals, version=self._version()
        )

    def _version(self) -> Version:
        """Documents before 2.3 say none; what we read of them is the same."""
        stated = self.root.get("version") or "2.3"
        known = next((version for version in VERSIONS if version == stated), None)
        if known is None:
            raise self._fault(f"is of version {stated[:20]!r}; {' and '.join(VERSIONS)} are read")
        return known

    def _key(self, element: etree._Element) -> CpixKey:
        kid = self._uuid(element, "kid")
        where = f"key {kid.hex()}"
        if element.get("dependsOnKey"):
            raise self._fault(f"{where} depends on another key; hierarchies of keys are not supported")
        scheme = element.get("commonEncryptionScheme") or ""
        if scheme not in SCHEMES:
            raise self._fault(f"{where} is for scheme {scheme[:20]!r}, which is none of common encryption")
        iv = element.get("explicitIV")
        return CpixKey(
            kid=kid,
            key=self._value(element, where),
            iv=self._sixteen(from_base64(iv, f"the IV of {where}", source=self.source), f"the IV of {where}") if iv else None,
            scheme=scheme,
            content_id=element.get("contentId") or "",
        )

    def _value(self, element: etree._Element, where: str) -> bytes | None:
        secret = element.find("cpix:Data/pskc:Secret", NAMESPACES)
        if secret is None:
            return None
        plain, sealed = secret.find("pskc:PlainValue", NAMESPACES), secret.find("pskc:EncryptedValue", NAMESPACES)
        if plain is not None and (sealed is not None or self._all("cpix:DeliveryDataList/cpix:DeliveryData")):
            raise self._fault(f"{where} stands in clear in a document that is encrypted")
        if plain is not None and self.only_encrypted:
            raise self._fault(f"{where} stands in clear, though it was asked for encrypted")
        if plain is not None:
            return self._sixteen(from_base64(plain.text, where, source=self.source), where)
        if sealed is None:
            raise self._fault(f"{where} has neither a plain nor an encrypted value")
        self._algorithm(sealed, AES256_CBC, where)
        value = from_base64(sealed.findtext(_CIPHER, None, NAMESPACES), where, source=self.source)
        mac = from_base64(secret.findtext("pskc:ValueMAC", None, NAMESPACES), f"the MAC of {where}", source=self.source)
        if self.secrets is None:
            self.secrets = self._document_keys()
        try:
            return self._sixteen(unseal(value, mac, self.secrets), where)
        except ValueError as error:
            raise self._fault(f"{where} does not open: {error}") from None

    def _document_keys(self) -> DocumentKeys:
        if self.private_key is None:
            raise self._fault("holds encrypted keys; name the private key they were encrypted to (--private-key)")
        delivery = self._delivery(self.private_key)
        documents = delivery.findall("cpix:DocumentKey", NAMESPACES)
        if len(documents) != 1 or documents[0].get("encryptsKey"):
            raise self._fault("has several document keys; ask for one that encrypts all content keys")
        sealed = documents[0].find("cpix:Data/pskc:Secret/pskc:EncryptedValue", NAMESPACES)
        method = delivery.find("cpix:MACMethod", NAMESPACES)
        mac = None if method is None else method.find("pskc:MACKey", NAMESPACES)
        if sealed is None or method is None or mac is None:
            raise self._fault("has no document key with a MAC; encrypted keys without one are not taken (CPIX 2.4, 8.1.4)")
        if method.get("Algorithm") != HMAC_SHA512:
            raise self._fault("has a MAC that is not HMAC-SHA512, the one that CPIX allows")
        return self._opened(sealed, mac, self.private_key)

    def _opened(self, sealed: etree._Element, mac: etree._Element, private_key: RSAPrivateKey) -> DocumentKeys:
        wrapped = []
        for element, what in ((sealed, "the document key"), (mac, "the MAC key")):
            self._algorithm(element, RSA_OAEP, what)
            wrapped.append(from_base64(element.findtext(_CIPHER, None, NAMESPACES), what, source=self.source))
        try:
            return DocumentKeys(document=unwrap(wrapped[0], private_key), mac=unwrap(wrapped[1], private_key))
        except ValueError:
            raise self._fault("its document key does not open with this private key; name that of its certificate") from None

    def _delivery(self, private_key: RSAPrivateKey) -> etree._Element:
        """The delivery data for us: by the certificate that it names."""
        ours = private_key.public_key()
        for element in self._all("cpix:DeliveryDataList/cpix:DeliveryData"):
            named = element.findtext("cpix:DeliveryKey/ds:X509Data/ds:X509Certificate", None, NAMESPACES)
            try:
                certificate = x509.load_der_x509_certificate(from_base64(named, "a certificate", source=self.source))
                if certificate.public_key() == ours:
                    return element
            except (ValueError, x509.InvalidVersion):
                raise self._fault("names a recipient by what is no X.509 certificate") from None
        raise self._fault("is encrypted to others; have its sender encrypt it to the certificate of this private key")

    def _signal(self, element: etree._Element) -> DrmSignal:
        kid = self._uuid(element, "kid")
        box = element.findtext("cpix:PSSH", None, NAMESPACES)
        pssh = from_base64(box, f"a PSSH of key {kid.hex()}", source=self.source)
        return DrmSignal(system=self._uuid(element, "systemId"), kid=kid, pssh=pssh)

    def _rule(self, element: etree._Element) -> UsageRule:
        pixels: list[tuple[int, int | None]] = []
        track_type, audio, unread = element.get("intendedTrackType") or "", False, ""
        for child in element:
            match etree.QName(child).localname if child.tag.startswith(f"{{{CPIX}}}") else child.tag:
                case "VideoFilter":
                    pixels.append((self._count(child, "minPixels", 0), self._most(child)))
                case "AudioFilter":
                    audio = True
                case "LabelFilter":
                    track_type = track_type or child.get("label") or ""
                case other:
                    unread = other[:60]
        return UsageRule(
            kid=self._uuid(element, "kid"), track_type=track_type, pixels=tuple(pixels), audio=audio, unread=unread
        )

    def _most(self, element: etree._Element) -> int | None:
        most = self._count(element, "maxPixels", MOST_PIXELS)
        return None if most == MOST_PIXELS else most

    def _count(self, element: etree._Element, name: str, default: int) -> int:
        text = element.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,10}", text.strip()):
            raise self._fault(f"has a {name} that is no number")
        return min(int(text), MOST_PIXELS)

    def _algorithm(self, element: etree._Element, wanted: str, what: str) -> None:
        method = element.find("xenc:EncryptionMethod", NAMESPACES)
        if method is None or method.get("Algorithm") != wanted:
            raise self._fault(f"{what} is not encrypted by {wanted.rpartition('#')[2]}, the algorithm of CPIX 2.4, 8.1.6")

    def _uuid(self, element: etree._Element, name: str) -> bytes:
        text = element.get(name) or ""
        if not _UUID.fullmatch(text):
            raise self._fault(f"has a {name} that is no UUID")
        return uuid.UUID(text).bytes

    def _sixteen(self, value: bytes, what: str) -> bytes:
        if len(value) != 16:
            raise self._fault(f"{what} has {len(value)} bytes and not 16")
        return value

    def _all(self, path: str) -> list[etree._Element]:
        return self.root.findall(path, NAMESPACES)

    def _fault(self, what: str) -> KeySourceError:
        return KeySourceError(self.source, what)
