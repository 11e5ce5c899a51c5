"""A writer on a store, and pages for it."""

from __future__ import annotations

from typing import Any

import msgspec

from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.messages import Envelope, PageFetched, SourceRecord
from tests.contract.stores import FEED, RUN, Kit, Listing


class Nobody:
    """Hears no photos.pending."""

    def publish_all(self, *_: object) -> None:
        return None


class Written:
    """See the module."""

    def __init__(self, kit: Kit, **settings: Any) -> None:
        nobody: Any = Nobody()
        self.kit = kit
        self.writer = Writer({FEED: WriterSettings("ddf", **settings)}, kit.store, nobody)

    def page(self, at: int, *records: Listing | SourceRecord, resource: str = "property") -> None:
        """The writer takes a page nobody asked for."""
        sent = [item.source() if isinstance(item, Listing) else item for item in records]
        page = PageFetched(feed=FEED, resource=resource, observed_at=at, server_date=None, asked=[], records=sent)
        self.writer._page(page, Envelope("1", page.TYPE, RUN, at, msgspec.Raw(b"")))
