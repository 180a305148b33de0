"""The signature over a whole CPIX document (XML-DSig, enveloped), by signxml: CPIX 2.4, 8.1.5 and 8.1.6.

Written as 8.1.6 demands it: RSASSA-PKCS1-v1_5, SHA-512, Canonical XML 1.0. Read with SHA-256 and SHA-384 too.
"""

from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from mediaforge.errors import KeySourceError
from mediaforge.package.keysources.cpix_names import DS
from mediaforge.package.keysources.pem import Signer

_READ = SignatureConfiguration(
    location="./",  # a child of the root, nowhere else
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}),
)


def sign(root: etree._Element, signer: Signer) -> etree._Element:
    """The document with a signature over all of it as its last child."""
    xml_signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA512,
        digest_algorithm=DigestAlgorithm.SHA512,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    return xml_signer.sign(root, key=signer.key, cert=[signer.certificate])


def is_signed(root: etree._Element) -> bool:
    return root.find(f"{{{DS}}}Signature") is not None


def verified(root: etree._Element, certificate: Certificate, *, source: str) -> etree._Element:
    """What the owner of `certificate` signed, and nothing beside it. Raises KeySourceError.

    The certificate is pinned: the one in the document proves nothing, as anybody could have put it there.
    """
    if not is_signed(root):
        raise KeySourceError(source, "is not signed, though a signature was asked for; have its sender sign it")
    try:
        result = XMLVerifier().verify(etree.tostring(root), x509_cert=certificate, expect_config=_READ)
    except InvalidCertificate:
        what = "is signed, but the certificate that --signed-by names is not valid today; ask its owner for the present one"
        raise KeySourceError(source, what) from None
    except (SignXMLException, ValueError, TypeError, AttributeError, LookupError, etree.LxmlError) as error:
        what = f"its signature does not hold ({type(error).__name__}); the document was changed, or another signed it"
        raise KeySourceError(source, what) from None
    signed = None if isinstance(result, list) else result.signed_xml
    if signed is None or signed.tag != root.tag:
        raise KeySourceError(source, "its signature covers only a part of it; have its sender sign the whole document")
    return signed
