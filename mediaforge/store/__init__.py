"""Files under names, in a local folder or an S3 bucket, and the publishing of a finished package into either.

What holds after a crash at any moment: a local name is absent, or whole, or the old file; a local package is absent or one
whole package; an S3 package is reachable by its manifests only when all that they name is there. S3 has no rename, so a
changed package overwrites its segments one by one while the old manifests still stand, and objects that the new package no
longer has stay: give a remade title a new prefix if viewers must notice nothing.

S3 is tested against moto, which proves the calls and their order but not a real server's semantics: signatures, server-side
checksums and permissions are not checked there. Credentials, region and proxies are boto3's own affair (AWS_* variables); some
S3 clones want AWS_REQUEST_CHECKSUM_CALCULATION=when_required. A broken-off publish goes on where it stopped when it is
repeated, object by object; a killed one can leave parts of one object, which a bucket's lifecycle rule
(AbortIncompleteMultipartUpload) clears away.
"""

from mediaforge.store.interface import Progress, Store
from mediaforge.store.opening import open_store
from mediaforge.store.publishing import publish

__all__ = ["Progress", "Store", "open_store", "publish"]
