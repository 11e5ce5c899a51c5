"""The geocoder: looks up where the addresses are of listings that come without coordinates.

Consumes ``addresses.pending``. The writer publishes it after a page, the reconciler after a range, by
``Geocoder.tell``, when the store says that addresses are due; one is on its way at a time, however much is due, and it
says no more than that. Which address is next, and when the server may be asked, is read from the store, which all
processes share: one question at a time, and no more a second than was agreed. Every delivery is one question, so a
process that dies has spent one in vain at most, and one that is told to stop is held up by no more than that.
"""

from __future__ import annotations

import structlog
from prometheus_client import Counter

from services.geocoder.decide import Failure, answered, failed, judge, pace, questions
from services.geocoder.settings import GeocoderSettings
from shared.consumer import Reject, Retry
from shared.geocoding.address import read
from shared.geocoding.nominatim import GeocoderError, Nominatim
from shared.messages import AddressesPending, Envelope, Message
from shared.outbox import Outbox
from shared.store.base import AddressWant, Located, NotLocated, Store
from shared.transport.base import Delivery

log = structlog.get_logger()

REQUESTS = Counter(
    "mlsync_geocode_requests_total",
    "Questions sent to the geocoder, by outcome: the precision of what was found, why the answer was not believed, or "
    "why none came.",
    ["outcome"],
)

SECOND = 1_000_000


class Geocoder:
    """See the module."""

    def __init__(self, settings: GeocoderSettings, store: Store, outbox: Outbox) -> None:
        """Puts everything together; opens nothing."""
        self._settings = settings
        self._store = store
        self._outbox = outbox
        self._client = Nominatim(
            settings.url, user_agent=settings.user_agent, email=settings.email, query=settings.query,
            timeout=settings.timeout,
        )  # fmt: skip
        self._interval = int(SECOND / settings.requests_per_second)

    @property
    def source(self) -> str:
        """The server's host: what is recorded as the source of coordinates."""
        return self._client.host

    def begin(self) -> None:
        """To be called before the first message."""
        self._store.geocoding.begin(self.source)

    def tell(self, feed: str, run_id: str) -> None:
        """Let it be known that addresses are due, if the store says so; ``feed`` is the one being worked on."""
        if feed in self._settings.feeds and self._store.geocoding.tell(self.source, self._settings.feeds):
            self._outbox.publish(AddressesPending(feed=feed), run_id)

    def due(self) -> bool:
        """Whether there are addresses to look up now, and the server did not fail when it was last asked."""
        return self._store.geocoding.due(self.source, self._settings.feeds)

    def handle(self, envelope: Envelope, message: Message, _delivery: Delivery) -> str:
        """Ask one question, if one is due and the server may be asked; then, by ``Retry``, the next."""
        if not isinstance(message, AddressesPending):
            raise Reject(f"the geocoder takes no {envelope.type}")
        hold = int(self._settings.timeout * SECOND) + self._interval
        want = self._store.geocoding.take(self.source, self._settings.feeds, hold)
        if want is None:
            return "nothing_due"
        if isinstance(want, AddressWant):
            want = self._ask(want)
        raise Retry("more may be due", delay=max(0, want - self._store.feeds.now()) / SECOND, counts=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, want: AddressWant) -> int:
        """Ask the next question about an address and record what came of it; when the server may be asked again."""
        address = read(want.address)
        asked = questions(address, self._settings.countrycodes)
        failure: Failure | None = None
        outcome: Located | NotLocated
        try:
            found = judge(self._client.search(asked[min(want.asked, len(asked) - 1)]), address)
        except GeocoderError as error:
            failure = Failure(error.reason, error.retry_after, error.refused)
            now = self._store.feeds.now()
            outcome = failed(failure, want, len(asked), now)
        else:
            now = self._store.feeds.now()
            outcome = answered(found, want, len(asked), now)
        after = pace(failure, want.geocoder_failures, self._interval, now)
        self._store.geocoding.settle(self.source, want.address, outcome, after)
        REQUESTS.labels(outcome.precision if isinstance(outcome, Located) else outcome.reason).inc()
        if after.reason is not None:
            log.warning("the geocoder is left alone for a while", geocoder=self.source, reason=after.reason,
                        seconds=(after.not_before - now) // SECOND)  # fmt: skip
        return after.not_before
