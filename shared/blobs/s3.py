"""Photos in a bucket of any S3 server."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from shared.blobs.base import BlobMissingError, BlobsUnavailableError
from shared.blobs.names import check_name, is_segment
from shared.blobs.sorting import sorted_names

T = TypeVar("T")

_AWS = "https://s3.amazonaws.com"
_MISSING = frozenset({"NoSuchKey", "NoSuchObject"})
_CONNECT_SECONDS, _READ_SECONDS = 5.0, 60.0
_RETRIES = urllib3.Retry(
    total=3, redirect=0, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), allowed_methods=None,
    raise_on_status=False,
)  # fmt: skip
"""Every request of this module may be sent twice: objects never change, and a bucket is made once."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where and how: ``endpoint`` is ``http[s]://host[:port]``, ``prefix`` is "" or ends with ``/``."""

    bucket: str
    prefix: str
    endpoint: str
    region: str | None
    style: Literal["path", "virtual", "auto"]
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    connections: int = 32
    ca_file: str | None = None


def parse_url(url: str) -> S3Settings:
    """``s3://bucket/prefix?endpoint=URL&region=R&style=path|virtual`` taken apart; what is not said is Amazon's.

    Raises ValueError, whose text names the part that is wrong and does not repeat the address.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError("give s3://bucket/prefix?endpoint=https://host&region=name&style=path")
    if "@" in parts.netloc:
        raise ValueError("the address must not hold credentials; give media_access_key and media_secret_key")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = options.keys() - {"endpoint", "region", "style"}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is no part of it; known are endpoint, region and style")
    endpoint = options.get("endpoint", _AWS)
    where = urlsplit(endpoint)
    if where.scheme not in ("http", "https") or not where.hostname or where.path.strip("/") or "@" in where.netloc:
        raise ValueError("endpoint must be http(s)://host[:port] and nothing more")
    style = options.get("style", "auto")
    if style not in ("path", "virtual", "auto"):
        raise ValueError("style must be path or virtual")
    prefix = unquote(parts.path).strip("/")
    if prefix and not all(map(is_segment, prefix.split("/"))):
        raise ValueError("the prefix is segments of [A-Za-z0-9._%-] between slashes")
    return S3Settings(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=f"{where.scheme}://{where.netloc}",
        region=options.get("region"),
        style=style,  # type: ignore[arg-type]
    )


class S3Blobs:
    """``Blobs`` in one bucket, under a prefix. Opens no connection before the first call.

    The checksum of what is sent travels with it, signed, and the server refuses what arrives otherwise. Every method
    but the constructor raises BlobsUnavailableError when the server cannot be reached, refuses, or has no such bucket.
    """

    def __init__(self, settings: S3Settings) -> None:
        where = urlsplit(settings.endpoint)
        self._bucket, self._prefix = settings.bucket, settings.prefix
        self._where = f"s3://{settings.bucket}/{settings.prefix} at {where.netloc}"
        self._client = Minio(
            where.netloc,
            access_key=settings.access_key,
            secret_key=settings.secret_key,
            secure=where.scheme == "https",
            region=settings.region,
            http_client=urllib3.PoolManager(
                maxsize=settings.connections,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
                retries=_RETRIES,
                cert_reqs="CERT_REQUIRED",
                ca_certs=settings.ca_file or certifi.where(),
            ),
        )
        match settings.style:
            case "path":
                self._client.disable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
            case "virtual":
                self._client.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
            case _:
                pass

    def prepare(self) -> None:
        """Make the bucket if it is not there and that is allowed."""
        if not self._asked(lambda: self._client.bucket_exists(self._bucket)):
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):  # another replica was first
                    raise self._explained(error) from None
            except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
                raise self._explained(error) from None

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """See ``Blobs.put``. Raises ValueError for a bad name."""
        full = self._full(name)
        self._asked(
            lambda: self._client.put_object(self._bucket, full, io.BytesIO(data), len(data), content_type=content_type)
        )

    def open(self, name: str) -> BinaryIO:
        """See ``Blobs.open``. The object is read whole: photos are bounded."""
        full = self._full(name)

        def read() -> bytes:
            answer = self._client.get_object(self._bucket, full)
            try:
                return answer.data
            finally:
                answer.close()
                answer.release_conn()

        return io.BytesIO(self._asked(read, name))

    def exists(self, name: str) -> bool:
        """See ``Blobs.exists``."""
        full = self._full(name)
        try:
            self._asked(lambda: self._client.stat_object(self._bucket, full), name)
        except BlobMissingError:
            return False
        return True

    def delete(self, name: str) -> None:
        """See ``Blobs.delete``."""
        full = self._full(name)
        try:
            self._asked(lambda: self._client.remove_object(self._bucket, full), name)
        except BlobMissingError:
            return

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See ``Blobs.keys``. Names that no ``put`` could have made are passed over.

        Sorted here: servers that keep objects in folders list ``a/1`` before ``a-b/1``, whatever S3 promises.
        """
        return sorted_names(self._listed(prefix))

    def _listed(self, prefix: str) -> Iterator[str]:
        found = self._client.list_objects(self._bucket, prefix=self._prefix + prefix, recursive=True)
        while (item := self._asked(lambda: next(found, None))) is not None:
            name = (item.object_name or "")[len(self._prefix) :]
            if name.startswith(prefix) and all(map(is_segment, name.split("/"))):
                yield name

    def _full(self, name: str) -> str:
        return self._prefix + check_name(name)

    def _asked(self, ask: Callable[[], T], name: str = "") -> T:
        try:
            return ask()
        except S3Error as error:
            if name and error.code in _MISSING:
                raise BlobMissingError(name) from None
            raise self._explained(error) from None
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> BlobsUnavailableError:
        """In our words: the client's own may quote addresses with signatures, and the server's are the server's."""
        match error:
            case S3Error(code="NoSuchBucket"):
                reason = "there is no such bucket; `mlsync migrate` makes it, or make it by hand"
            case S3Error(code="AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") as refused:
                reason = f"refused ({refused.code}); check media_access_key, media_secret_key, region and policy"
            case S3Error() as refused:
                reason = f"refused ({refused.code})" if (refused.code or "").isalnum() else "refused"
            case ServerError() as failed:
                reason = f"HTTP status {failed.status_code}"
            case InvalidResponseError():
                reason = "the answer is not S3's; check endpoint and style"
            case urllib3.exceptions.MaxRetryError(reason=urllib3.exceptions.SSLError()):
                reason = "TLS failed; check the certificate"
            case _:
                reason = "no answer"
        return BlobsUnavailableError(f"{self._where}: {reason}")
