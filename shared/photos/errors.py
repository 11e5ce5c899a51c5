"""Why a photo was not taken: few and fixed words, fit for a column and a metric's label."""

from __future__ import annotations

from enum import StrEnum


class RejectReason(StrEnum):
    """Why bytes are not a photo we keep."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    TEXT = "text"
    WRONG_FORMAT = "wrong_format"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    PLACEHOLDER = "placeholder"


class PhotoRejectedError(ValueError):
    """The bytes are not a photo; ``reason`` says why."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class DownloadReason(StrEnum):
    """Why a photo could not be fetched."""

    BAD_URL = "bad_url"
    REFUSED_ADDRESS = "refused_address"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    TLS = "tls"
    CERTIFICATE = "certificate"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    ENDLESS = "endless"
    """More came than is allowed, and no length had been announced: rather a defect of the answer than a photo."""
    HTTP_401 = "http_401"
    HTTP_403 = "http_403"
    HTTP_404 = "http_404"
    HTTP_410 = "http_410"
    HTTP_429 = "http_429"
    PAUSED = "paused"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    HTTP_UNEXPECTED = "http_unexpected"


_PERMANENT = frozenset(
    {
        DownloadReason.BAD_URL,
        DownloadReason.REFUSED_ADDRESS,
        DownloadReason.TOO_MANY_REDIRECTS,
        DownloadReason.CERTIFICATE,
        DownloadReason.TOO_LARGE,
        DownloadReason.HTTP_401,
        DownloadReason.HTTP_403,
        DownloadReason.HTTP_404,
        DownloadReason.HTTP_410,
        DownloadReason.HTTP_4XX,
    }
)


class DownloadError(Exception):
    """A photo was not fetched. Its text has the reason and the host, never the URL's path or query: they may be signed.

    ``permanent``: asking again within minutes will not help. ``retry_after``: seconds the server asked for, or None.
    ``paused``: the host wants to be left alone for ``retry_after`` seconds, whatever photo it is asked for.
    """

    def __init__(
        self, reason: DownloadReason, host: str = "", retry_after: float | None = None, *, paused: bool = False
    ) -> None:
        super().__init__(f"{reason.value} ({host})" if host else reason.value)
        self.reason = reason
        self.host = host
        self.retry_after = retry_after
        self.paused = paused

    @property
    def permanent(self) -> bool:
        """Whether the same request would fail again until somebody changes something."""
        return self.reason in _PERMANENT
