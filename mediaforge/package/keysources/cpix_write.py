"""A CPIX document written: clear, or encrypted to a certificate; signed where there is a signer. Valid by its schema."""

import base64
import uuid

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from lxml import etree

from mediaforge.package.keysources.cpix import Cpix, CpixKey, DrmSignal, UsageRule
from mediaforge.package.keysources.cpix_names import AES256_CBC, CPIX, DS, HMAC_SHA512, NAMESPACES, PSKC, RSA_OAEP, XENC
from mediaforge.package.keysources.cpix_seal import DocumentKeys, new_document_keys, seal, wrap
from mediaforge.package.keysources.cpix_sign import sign
from mediaforge.package.keysources.pem import Signer, check_rsa


def write_cpix(document: Cpix, *, certificate: Certificate | None = None, signer: Signer | None = None) -> bytes:
    """The document as XML. With `certificate` its keys are encrypted so that only that certificate's owner reads them.

    A document without key values asks for them: it then names the certificate that the answer shall be encrypted to.
    """
    root = etree.Element(f"{{{CPIX}}}CPIX", nsmap=NAMESPACES)
    root.set("contentId", document.content_id)
    root.set("version", document.version)
    asks = all(key.key is None for key in document.keys)
    secrets = new_document_keys() if certificate is not None and not asks else None
    if certificate is not None:
        _delivery(_child(root, CPIX, "DeliveryDataList"), certificate, secrets)
    for key in document.keys:
        _key(_list(root, "ContentKeyList"), key, secrets)
    for signal in document.signals:
        _signal(_list(root, "DRMSystemList"), signal)
    for rule in document.rules:
        _rule(_list(root, "ContentKeyUsageRuleList"), rule)
    if signer is not None:
        root = sign(root, signer)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _delivery(parent: etree._Element, certificate: Certificate, secrets: DocumentKeys | None) -> None:
    recipient = check_rsa(certificate, "the certificate")
    data = _child(parent, CPIX, "DeliveryData")
    x509 = _child(_child(data, CPIX, "DeliveryKey"), DS, "X509Data")
    _child(x509, DS, "X509Certificate").text = _b64(certificate.public_bytes(Encoding.DER))
    if secrets is None:
        return
    secret = _child(_child(_child(data, CPIX, "DocumentKey"), CPIX, "Data"), PSKC, "Secret")
    _encrypted(secret, "EncryptedValue", RSA_OAEP, wrap(secrets.document, recipient))
    method = _child(data, CPIX, "MACMethod", Algorithm=HMAC_SHA512)
    _encrypted(method, "MACKey", RSA_OAEP, wrap(secrets.mac, recipient))


def _key(parent: etree._Element, key: CpixKey, secrets: DocumentKeys | None) -> None:
    element = _child(parent, CPIX, "ContentKey", kid=_uuid(key.kid))
    if key.iv is not None:
        element.set("explicitIV", _b64(key.iv))
    if key.scheme:
        element.set("commonEncryptionScheme", key.scheme)
    if key.content_id:
        element.set("contentId", key.content_id)
    if key.key is None:
        return
    secret = _child(_child(element, CPIX, "Data"), PSKC, "Secret")
    if secrets is None:
        _child(secret, PSKC, "PlainValue").text = _b64(key.key)
        return
    value, mac = seal(key.key, secrets)
    _encrypted(secret, "EncryptedValue", AES256_CBC, value)
    _child(secret, PSKC, "ValueMAC").text = _b64(mac)


def _encrypted(parent: etree._Element, name: str, algorithm: str, value: bytes) -> None:
    element = _child(parent, PSKC, name)
    _child(element, XENC, "EncryptionMethod", Algorithm=algorithm)
    _child(_child(element, XENC, "CipherData"), XENC, "CipherValue").text = _b64(value)


def _signal(parent: etree._Element, signal: DrmSignal) -> None:
    element = _child(parent, CPIX, "DRMSystem", systemId=_uuid(signal.system), kid=_uuid(signal.kid))
    _child(element, CPIX, "PSSH").text = _b64(signal.pssh)


def _rule(parent: etree._Element, rule: UsageRule) -> None:
    element = _child(parent, CPIX, "ContentKeyUsageRule", kid=_uuid(rule.kid))
    if rule.track_type:
        element.set("intendedTrackType", rule.track_type)
    for least, most in rule.pixels:
        pixels = _child(element, CPIX, "VideoFilter")
        if least:
            pixels.set("minPixels", str(least))
        if most is not None:
            pixels.set("maxPixels", str(most))
    if rule.audio:
        _child(element, CPIX, "AudioFilter")


def _list(root: etree._Element, name: str) -> etree._Element:
    """The list element, made with its first child: the schema allows no empty one."""
    found = root.find(f"{{{CPIX}}}{name}")
    return _child(root, CPIX, name) if found is None else found


def _child(parent: etree._Element, namespace: str, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)


def _uuid(value: bytes) -> str:
    return str(uuid.UUID(bytes=value))


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
