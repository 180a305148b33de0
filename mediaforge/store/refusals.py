"""What S3 and boto3 say when something goes wrong, as StoreErrors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.store.disk import disk_sentence


@contextmanager
def s3_errors(place: str, *, server: str) -> Iterator[None]:
    """What boto3 raises about `place`, an object or a bucket at `server`, as a StoreError."""
    import botocore.exceptions as boto  # noqa: PLC0415
    from boto3.exceptions import RetriesExceededError  # noqa: PLC0415

    try:
        yield
    except boto.ClientError as error:
        what, transient = _refusal(error.response["Error"], operation=error.operation_name, server=server)
        raise StoreError(place, what, transient=transient) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
        what = "no complete credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        raise StoreError(place, what) from error
    except (boto.ConnectionError, boto.HTTPClientError, RetriesExceededError) as error:
        what = f"{server} cannot be reached; check the network and the S3 endpoint URL (AWS_ENDPOINT_URL or the setting)"
        raise StoreError(place, what, transient=True) from error
    except boto.BotoCoreError as error:
        raise StoreError(place, f"{error}; check the bucket's name and the AWS_* variables") from error
    except OSError as error:
        raise StoreError(error.filename or place, disk_sentence(error, Path(error.filename or ""))) from error


def _refusal(error: dict[str, str], *, operation: str, server: str) -> tuple[str, bool]:
    """An S3 error code as a sentence, and whether trying again may help."""
    code = error["Code"]
    if code in ("NoSuchKey", "404") and operation in ("GetObject", "HeadObject"):
        return "is not there", False
    if code in ("NoSuchBucket", "404"):
        return f"there is no such bucket at {server}; create it, or correct its name or the S3 endpoint URL", False
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"):
        advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), or AWS_PROFILE, to valid ones"
        return f"{server} refuses the credentials ({code}); {advice}", False
    if code in ("AccessDenied", "403"):
        return f"these credentials may not do {operation} here; allow it, or set AWS_PROFILE to another account", False
    if code == "RequestTimeTooSkewed":
        return f"the clock of this machine and that of {server} differ too much; set the clock", False
    detail = f"{server} answers {operation} with {code} ({error.get('Message', '')})"
    return f"{detail}; try again later", code in (
        "500",
        "503",
        "InternalError",
        "SlowDown",
        "ServiceUnavailable",
        "RequestTimeout",
    )
