"""A store in an S3 bucket. boto3 is imported when one is opened: most commands need none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mediaforge.errors import StoreError
from mediaforge.store.disk import sha256_of, written_whole
from mediaforge.store.interface import PackageFile, checked_name
from mediaforge.store.refusals import s3_errors

PART_BYTES = 8 * 1024 * 1024  # of a multipart upload: what a broken connection costs again
UPLOADS_AT_ONCE = 8
ATTEMPTS = 10  # with mode "standard": 5 of 5 round trips whole with 30 % of the requests failing; with 3, 4 of 5
PROBE_ATTEMPTS = 2  # a wrong endpoint is to be told in seconds

CONTENT_TYPES = {
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 4
    ".m4s": "video/iso.segment",  # ISO/IEC 23009-1, annex C
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Bucket:
    client: Any  # boto3's S3 client, safe to share between threads
    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, file: Path, name: str) -> None:
        with self._errors(), self._transfers() as transfers:
            self._upload(transfers, file, name, digest=sha256_of(file))

    def get(self, name: str, to: Path) -> None:
        with self._errors(name), written_whole(to) as temporary:
            metadata = self.client.head_object(Bucket=self.bucket, Key=self._key(name))["Metadata"]
            self.client.download_file(self.bucket, self._key(name), str(temporary))
            if metadata.get("sha256", found := sha256_of(temporary)) != found:
                raise StoreError(f"{self.uri}/{name}", "came back with other bytes than were put there; fetch it again")

    def read(self, name: str) -> bytes:
        with self._errors(name):
            return bytes(self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].read())

    def names(self, prefix: str = "") -> tuple[str, ...]:
        return tuple(sorted(self._sizes(prefix)))

    def size(self, name: str) -> int | None:
        with self._errors():
            found = self._head(name)
        return None if found is None else int(found["ContentLength"])

    def delete(self, name: str) -> None:
        with self._errors():
            self.client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def publish(self, files: tuple[PackageFile, ...], last: tuple[str, ...], report: Callable[[int], None]) -> None:
        """Upload what is not there yet, several files at a time, and then the manifests one after the other."""
        present = self._sizes("")
        with self._errors(), self._transfers() as transfers, ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            segments = [file for file in files if file.name not in last]
            uploads = {pool.submit(self._upload_new, transfers, file, present): file for file in segments}
            try:
                for upload in as_completed(uploads):
                    upload.result()
                    report(uploads[upload].size)
            except BaseException:
                pool.shutdown(cancel_futures=True)  # or leaving the pool would first upload all the rest
                raise
            for file in files[len(segments) :]:
                self._upload_new(transfers, file, present)
                report(file.size)

    def _upload_new(self, transfers: Any, file: PackageFile, present: dict[str, int]) -> None:
        digest = sha256_of(file.path)
        if present.get(file.name) == file.size:
            found = self._head(file.name)
            if found is not None and found["Metadata"].get("sha256") == digest:
                return
        self._upload(transfers, file.path, file.name, digest=digest)

    def _upload(self, transfers: Any, file: Path, name: str, *, digest: str) -> None:
        content_type = CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        extra = {"Metadata": {"sha256": digest}, "ContentType": content_type}
        transfers.upload(str(file), self.bucket, self._key(name), extra_args=extra).result()

    def _head(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        try:
            return dict(self.client.head_object(Bucket=self.bucket, Key=self._key(name)))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise

    def _sizes(self, prefix: str) -> dict[str, int]:
        start = f"{self.prefix}/" if self.prefix else ""
        with self._errors():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start + prefix)
            objects = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(start): item["Size"] for item in objects}

    def _key(self, name: str) -> str:
        checked = checked_name(name, self.uri)
        return f"{self.prefix}/{checked}" if self.prefix else checked

    def _transfers(self) -> AbstractContextManager[Any]:
        from boto3.s3.transfer import TransferConfig, create_transfer_manager  # noqa: PLC0415

        config = TransferConfig(
            multipart_threshold=PART_BYTES,
            multipart_chunksize=PART_BYTES,
            max_concurrency=UPLOADS_AT_ONCE,
        )
        manager: AbstractContextManager[Any] = create_transfer_manager(self.client, config)
        return manager

    def _errors(self, name: str = "") -> AbstractContextManager[None]:
        place = f"{self.uri}/{name}" if name else self.uri
        return s3_errors(place, server=self.client.meta.endpoint_url)


def open_bucket(uri: str, endpoint_url: str | None) -> S3Bucket:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    prefix = checked_name(prefix.strip("/"), uri) if prefix.strip("/") else ""
    if not bucket:
        raise StoreError(uri, "names no bucket; give s3://bucket/prefix")
    try:
        impatient, client = _clients(endpoint_url)
    except (ValueError, BotoCoreError) as error:  # ValueError: the endpoint is no URL
        raise StoreError(uri, f"{error}; check the S3 endpoint URL and the AWS_* variables") from error
    opened = S3Bucket(client=client, bucket=bucket, prefix=prefix)
    with opened._errors():
        try:
            impatient.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "403":  # a role that may write but not list is let through
                raise
    return opened


def _clients(endpoint_url: str | None) -> tuple[Any, ...]:
    """Two clients of one session: one to ask whether the bucket is there at all, one that bears with the server."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.session.Session()
    config = Config(connect_timeout=10, max_pool_connections=2 * UPLOADS_AT_ONCE)  # the transfers and, beside them, HEADs
    return tuple(
        session.client(
            "s3", endpoint_url=endpoint_url, config=config.merge(Config(retries={"mode": "standard", "max_attempts": attempts}))
        )
        for attempts in (PROBE_ATTEMPTS, ATTEMPTS)
    )
