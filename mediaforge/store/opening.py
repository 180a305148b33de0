"""From what a user names as a place, a folder or a bucket, to its store."""

from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.store.bucket import open_bucket
from mediaforge.store.folder import LocalFolder
from mediaforge.store.interface import Store


def open_store(uri: str, *, endpoint_url: str | None = None) -> Store:
    """The store at a folder's path or at `s3://bucket/prefix` (of the S3 server at `endpoint_url`, if not Amazon's).

    A bucket that is missing or out of reach is told here, in seconds: open the destination before the work for it begins.
    """
    if uri.startswith("s3://"):
        return open_bucket(uri, endpoint_url)
    if "://" in uri or not uri:
        raise StoreError(uri or "''", "is no place to keep files; give a folder or s3://bucket/prefix")
    root = Path(uri).resolve()
    if root.exists() and not root.is_dir():
        raise StoreError(root, "is a file; give a folder or s3://bucket/prefix")
    return LocalFolder(root=root)
