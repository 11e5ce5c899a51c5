"""What can go wrong between a RETS server and us, in the words of ``shared.sources.base``."""

from __future__ import annotations

from shared.sources.base import SourceRefusedError, SourceUnavailableError, SourceUnreadableError


class RetsTruncatedError(SourceUnavailableError):
    """The answer ended before it was whole. Nothing of it may be taken for complete; asking again may help."""


class RetsParseError(SourceUnreadableError):
    """The answer is no usable RETS answer: broken XML, a forbidden declaration, a bound exceeded."""


class RetsReplyError(SourceRefusedError):
    """The server refused with a reply code, which has its meaning for ``transaction`` only (RETS 1.7.2 App. C).

    ``said`` are the server's own words, without secrets.
    """

    def __init__(self, transaction: str, code: str, message: str, said: str = "") -> None:
        super().__init__(message)
        self.transaction = transaction
        self.code = code
        self.said = said
