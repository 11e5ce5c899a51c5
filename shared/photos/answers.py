"""What an answer to a photo request says, and what a failure to get one means, in our few words."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from urllib3 import exceptions

from shared.photos.addresses import RefusedAddressError
from shared.photos.errors import DownloadReason

MAX_HEADER = 512
PRINTABLE = re.compile(r"[\x20-\x7e]+")
_MAX_RETRY_AFTER = 86_400.0


def announced(headers: Mapping[str, str]) -> int:
    """The length the answer announces; 0 when it announces none."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def validator(value: str | None) -> str | None:
    """An ETag or Last-Modified worth keeping: printable and not endless."""
    return value if value and len(value) <= MAX_HEADER and PRINTABLE.fullmatch(value) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or the time until a date (RFC 9110, section 10.2.3); at most a day, for it may be a mistake."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _MAX_RETRY_AFTER)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time()
    return min(max(0.0, seconds), _MAX_RETRY_AFTER)


def status_reason(status: int) -> DownloadReason:
    """What a status that is neither 200, 304 nor a redirect means."""
    try:
        return DownloadReason(f"http_{status}")
    except ValueError:
        pass
    if status >= 500:
        return DownloadReason.HTTP_5XX
    return DownloadReason.HTTP_4XX if status >= 400 else DownloadReason.HTTP_UNEXPECTED


def failure_reason(error: Exception) -> DownloadReason:
    """What an exception of urllib3, the sockets below it or the guard means."""
    match error:
        case RefusedAddressError():
            return DownloadReason.REFUSED_ADDRESS
        case exceptions.SSLError():
            unverified = "certificate verify failed" in str(error).lower() or "doesn't match" in str(error)
            return DownloadReason.CERTIFICATE if unverified else DownloadReason.TLS
        case exceptions.TimeoutError() | TimeoutError():
            # in urllib3 a refused connection is a kind of timeout, for historical reasons
            is_connect = isinstance(error, exceptions.NewConnectionError)
            return DownloadReason.CONNECT if is_connect else DownloadReason.TIMEOUT
        case exceptions.ProxyError():
            return DownloadReason.CONNECT
        case ValueError():
            return DownloadReason.BAD_URL
        case _:
            return DownloadReason.BROKEN
