"""A feed's manners: sessions of several processes, a real store, and a server that has enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from services.polite import PATIENCE, Polite
from shared.budget import DAY, SECOND, Limits
from shared.rets.codes import ANY, BY_STATUS, BY_TRANSACTION
from shared.rets.frame import Frame, read_frame
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.settings import FeedSettings
from shared.sources.base import SourceError, SourcePausedError, SourceUnavailableError
from shared.store.sqlite.store import SqliteStore
from tests.unit.rets_server import Asked, Say, ScriptedServer

START = datetime(2024, 3, 5, 14, 0, tzinfo=UTC).timestamp()
FOUND = Say('<RETS ReplyCode="0" ReplyText="OK"><COUNT Records="7"/></RETS>')
ATTEMPTS = 4


def busy(after: str | None = None, status: int = 429) -> Say:
    return Say("slow down", status=status, headers=[("Retry-After", after)] if after is not None else [])


class World:
    """A server, and a store on a clock that only waiting moves."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.folder, self.server = folder, server
        self.now = START
        self.waited: list[float] = []
        self.counted = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.stores: list[SqliteStore] = []

    def process(self, **settings: Any) -> Callable[[], RetsSession]:
        """A process of the feed; it makes sessions."""
        store = SqliteStore(self.folder / "mlsync.db", lambda: self.now)
        store.migrate()
        self.stores.append(store)
        feed = FeedSettings(protocol="ddf", username="feeduser", password=SecretStr("pass-word"), **settings)
        polite = Polite("ddf", feed, store, self.wait, self.count)

        def make() -> RetsSession:
            manners = polite.manners()
            return RetsSession(
                RetsSettings(f"{self.server.base}/login", "feeduser", SecretStr("pass-word"), retry_attempts=ATTEMPTS),
                before_request=manners.before_request,
                after_response=manners.after_response,
                told_to_wait=manners.told_to_wait,
                after_login=manners.after_login,
                sleep=self.wait,
                jitter=lambda: 0.0,
            )

        return make

    def wait(self, seconds: float) -> None:
        """Let time pass, ``meanwhile`` (once) before it does."""
        self.waited.append(round(seconds, 3))
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        before = self.now
        meanwhile()
        self.now = max(self.now, before + seconds)

    def count(self) -> None:
        self.counted += 1

    @property
    def searches(self) -> int:
        return self.server.paths().count("/search")


@contextmanager
def world(folder: Path, *answers: Say, login: Say | None = None) -> Iterator[World]:
    """``answers`` to searches, in turn, the last one for ever; ``login`` to logins, which else go well."""
    left = list(answers)

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return login if asked.path == "/login" else None
        return left.pop(0) if len(left) > 1 else left[0]

    with ScriptedServer(answer) as server:
        made = World(folder, server)
        try:
            yield made
        finally:
            for store in made.stores:
                store.close()


def search(session: RetsSession) -> int | None:
    def read(answer: Any) -> int | None:
        frame = Frame()
        answer.reply = read_frame(answer.chunks(), frame, session.mender())
        return frame.count

    return session.ask("Search", {"Query": "(ID=*)"}, read)


def test_a_short_pause_is_waited_out_by_all_sessions_of_all_processes(tmp_path: Path) -> None:
    with world(tmp_path, busy("4"), FOUND) as here:
        one, other = here.process()(), here.process()()
        found: list[int | None] = []
        here.meanwhile = lambda: found.append(search(other))
        assert search(one) == 7
        assert found == [7]
        assert here.waited == [4.0, 4.0]
        assert here.searches == 3


def test_a_long_pause_is_no_failure_and_nobody_asks_meanwhile(tmp_path: Path) -> None:
    with world(tmp_path, busy("7200"), FOUND) as here:
        session = here.process()()
        with pytest.raises(
            SourcePausedError, match=r"too many requests.*; next request at 2024-03-05T16:00:0.Z"
        ) as told:
            search(session)
        assert told.value.retry_after == pytest.approx(7200, abs=1)
        for _ in range(3):
            with pytest.raises(SourcePausedError):
                search(session)
            with pytest.raises(SourcePausedError):
                search(here.process()())  # a new process, not logged in
        assert (here.searches, here.waited) == (1, [])
        asked = len(here.server.asked)
        session.logout()  # which counts, and is never refused
        assert here.server.paths()[asked:] == ["/logout"]
        here.now += 7200
        assert search(session) == 7


def test_a_date_says_as_much_as_seconds(tmp_path: Path) -> None:
    dates = [format_datetime(datetime.fromtimestamp(START + s, UTC), usegmt=True) for s in (0, 3600)]
    raw = f"HTTP/1.1 429 x\r\nDate: {dates[0]}\r\nRetry-After: {dates[1]}\r\nContent-Length: 0\r\n\r\n".encode()
    with world(tmp_path, Say(write=lambda stream: stream.write(raw)), FOUND) as here:
        with pytest.raises(SourcePausedError) as told:
            search(here.process()())
        assert told.value.retry_after == pytest.approx(3600, abs=1)


def test_who_asks_for_ten_years_is_asked_again_after_a_day(tmp_path: Path) -> None:
    with world(tmp_path, busy("315360000"), FOUND) as here:
        session = here.process()()
        with pytest.raises(SourcePausedError) as told:
            search(session)
        assert told.value.retry_after == pytest.approx(DAY / SECOND, abs=1)
        here.now += DAY / SECOND
        assert search(session) == 7


@pytest.mark.parametrize("refusal", [busy(), Say('<RETS ReplyCode="20210" ReplyText="Too Many Outstanding Queries"/>')])
def test_without_a_word_of_when_pauses_double_and_no_attempt_ever_fails(tmp_path: Path, refusal: Say) -> None:
    with world(tmp_path, refusal) as here:
        session = here.process()()
        pauses = []
        for _ in range(8):
            with pytest.raises(SourcePausedError) as told:
                search(session)
            pauses.append(round(told.value.retry_after))
            here.now += told.value.retry_after
        assert here.waited == [5.0, 10.0]  # in its place, which it then gave up
        assert pauses == [20, 40, 80, 160, 320, 640, 1280, 2560]


def test_whoever_says_one_second_again_and_again_is_not_asked_every_second(tmp_path: Path) -> None:
    with world(tmp_path, busy("1")) as here:
        with pytest.raises(SourcePausedError) as told:
            search(here.process()())
        assert told.value.retry_after == 16.0
        assert here.waited == [1.0, 2.0, 4.0, 8.0]
        assert here.searches == ATTEMPTS + 1


def test_a_503_is_waited_for_like_a_429_but_may_be_about_what_was_asked(tmp_path: Path) -> None:
    with world(tmp_path, busy("1", 503)) as here:
        with pytest.raises(SourceUnavailableError) as told:
            search(here.process()())
        assert not isinstance(told.value, SourcePausedError)
        assert here.waited == [1.0, 2.0, 4.0, 8.0]


def test_a_server_in_trouble_is_no_server_that_wants_to_be_left_alone(tmp_path: Path) -> None:
    with world(tmp_path, busy(status=503), FOUND) as here:
        assert search(here.process()()) == 7
        assert here.stores[0].budget.look("ddf", Limits()) == ((), None)


def test_a_budget_used_up_names_the_setting_and_when(tmp_path: Path) -> None:
    with world(tmp_path, FOUND) as here:
        make = here.process(requests_per_hour=10)
        session = make()
        for _ in range(9):
            search(session)
        with pytest.raises(
            SourcePausedError, match=r"^the budget of requests_per_hour is used up; next request at 2024-"
        ):
            search(session)
        assert len(here.server.asked) == here.counted == 10
        session.logout()
        assert len(here.server.asked) == here.counted == 11
        with pytest.raises(SourcePausedError) as told:
            search(here.process(requests_per_hour=10)())
        here.now += told.value.retry_after
        assert search(session) == 7


def test_a_rate_is_waited_for_in_place_however_slow(tmp_path: Path) -> None:
    with world(tmp_path, FOUND) as here:
        session = here.process(requests_per_second=0.02)()
        search(session)
        search(session)
        assert len(here.waited) == 2
        assert all(PATIENCE < seconds <= 52 for seconds in here.waited)


def test_quiet_hours_are_quiet(tmp_path: Path) -> None:
    with world(tmp_path, FOUND) as here:
        session = here.process(quiet_hours="10:00-12:30 America/Toronto")()
        search(session)  # 09:00 there
        here.now += 2 * 3600
        with pytest.raises(SourcePausedError, match=r"quiet hours \(10:00-12:30 America/Toronto\); next request at "
                                                    "2024-03-05T17:30:00Z"):  # fmt: skip
            search(session)
        assert here.searches == 1
        here.now += 1.5 * 3600
        assert search(session) == 7


def test_requests_are_counted_by_transaction_and_code(tmp_path: Path) -> None:
    def count(transaction: str, code: str) -> float:
        labels = {"feed": "ddf", "transaction": transaction, "code": code}
        return REGISTRY.get_sample_value("mlsync_rets_requests_total", labels) or 0.0

    wanted = [("Login", "0"), ("Search", "0"), ("Search", "http-429"), ("Search", "other"), ("Logout", "0")]
    before = [count(*labels) for labels in wanted]
    odd = Say('<RETS ReplyCode="4711" ReplyText="Success"/>')
    with world(tmp_path, busy("1"), odd, FOUND) as here:
        session = here.process(requests_per_hour=100)()
        search(session)
        search(session)
        session.logout()
    assert [count(*labels) - was for labels, was in zip(wanted, before, strict=True)] == [1, 1, 1, 1, 1]


def test_codes_and_logins_are_few_whatever_a_server_answers(tmp_path: Path) -> None:
    def codes() -> set[str]:
        return {
            sample.labels["code"]
            for family in REGISTRY.collect()
            if family.name == "mlsync_rets_requests"
            for sample in family.samples
        }

    def logins(outcome: str) -> float:
        return REGISTRY.get_sample_value("mlsync_logins_total", {"feed": "ddf", "outcome": outcome}) or 0.0

    odd = [
        *(
            Say(f'<RETS ReplyCode="{code}" ReplyText="no"/>')
            for code in ("999; DROP", "-1", "٤٢٩", "1" * 300, "0x0", "")
        ),
        *(Say("?", status=status) for status in (299, 418, 599, 999)),
    ]
    before = logins("ok"), logins("failed")
    for say in odd:
        with world(tmp_path, say) as here, suppress(SourceError):
            search(here.process()())
    refused = Say('<RETS ReplyCode="20036" ReplyText="no"/>')
    with world(tmp_path, login=refused) as here, pytest.raises(SourceError):
        search(here.process()())
    known = {"failed", "other", *ANY, *(code for codes in BY_TRANSACTION.values() for code in codes)}
    assert codes() <= known | {f"http-{status}" for status in BY_STATUS}
    assert "other" in codes()
    assert (logins("ok") - before[0], logins("failed") - before[1]) == (len(odd), 1)
