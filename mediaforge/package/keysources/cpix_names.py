"""The names that CPIX takes from other standards: namespaces, and the algorithms of CPIX 2.4, 8.1.6."""

CPIX = "urn:dashif:org:cpix"
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"  # RFC 6030
XENC = "http://www.w3.org/2001/04/xmlenc#"
DS = "http://www.w3.org/2000/09/xmldsig#"

AES256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
HMAC_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"

NAMESPACES = {"cpix": CPIX, "pskc": PSKC, "xenc": XENC, "ds": DS}
