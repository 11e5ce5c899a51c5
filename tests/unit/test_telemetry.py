"""No secret and no terminal escape reaches a log, whichever way it takes."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared import telemetry
from shared.telemetry import escape, register_secret


class Log(io.StringIO):
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    stream = Log()
    telemetry.configure(True, "INFO", stream)
    yield stream
    telemetry.configure(False, "WARNING")


@pytest.fixture
def console() -> Iterator[Log]:
    stream = Log()
    telemetry.configure(False, "INFO", stream)
    yield stream
    telemetry.configure(False, "WARNING")


SECRET = 'p%ss "wörd"\\ &1'


@pytest.fixture(autouse=True, scope="module")
def registered() -> None:
    register_secret(SECRET)
    register_secret("s3cr3t-token")


def test_escape_writes_out_what_could_drive_a_terminal() -> None:
    assert escape("a\x1b[31m\x07\x9b\u202eb\r\n\t\u2028\x7f") == r"a\x1b[31m\x07\x9b\u202eb\r\n\t\u2028\x7f"


def test_escape_leaves_ordinary_text_of_any_language_alone() -> None:
    text = "Maison à vendre, 3½ pièces – 東京 🏠 <b>&"
    assert escape(text) == text


@given(st.text())
def test_escaped_text_is_printable_on_one_line_and_encodable(text: str) -> None:
    shown = escape(text)
    assert not set(shown) & {"\x1b", "\n", "\r", "\x9b", "\u202e", "\u2066", "\u2028"}
    shown.encode()


def test_lines_are_json_with_level_and_utc_time(log: Log) -> None:
    structlog.get_logger("unit").info("listing stored", key="123")
    (event,) = log.events()
    assert (event["event"], event["key"], event["level"], event["logger"]) == ("listing stored", "123", "info", "unit")
    assert event["timestamp"].endswith("Z")


def test_values_of_every_depth_are_escaped(log: Log) -> None:
    structlog.get_logger().info("x\x1b", nested={"a\x1b": ["b\x1b", ("c\u202e",)]}, raw=b"\x1b", number=3)
    (event,) = log.events()
    assert "\x1b" not in json.dumps(event, ensure_ascii=False)
    assert event["nested"] == {"a\\x1b": ["b\\x1b", ["c\\u202e"]]}
    assert event["number"] == 3


@pytest.mark.parametrize(
    "form",
    ["s3cr3t-token", SECRET, "p%25ss%20%22w%C3%B6rd%22%5C%20%261", "p%25ss+%22w%C3%B6rd%22%5C+%261", repr(SECRET)],
)
def test_a_secret_is_redacted_in_every_form(log: Log, form: str) -> None:
    structlog.get_logger().warning(f"login {form} failed", url=f"https://u:{form}@h/", deep=[{"k": form}])
    text = log.getvalue()
    assert "s3cr3t" not in text
    assert "rd" not in text.replace("https", "")
    assert text.count("[redacted]") == 3


def test_a_secret_in_an_exception_is_redacted(log: Log) -> None:
    try:
        raise ConnectionError("https://u:s3cr3t-token@h/")
    except ConnectionError:
        structlog.get_logger().exception("failed")
    assert "s3cr3t" not in log.getvalue()
    assert "ConnectionError" in log.events()[0]["exception"]


def test_a_secret_in_a_librarys_log_is_redacted(log: Log) -> None:
    logging.getLogger("requests.sessions").warning("retrying %s", "https://h/?p=s3cr3t-token")
    (event,) = log.events()
    assert (event["event"], event["logger"]) == ("retrying https://h/?p=[redacted]", "requests.sessions")


def test_a_secret_in_an_object_that_is_logged_is_redacted(log: Log) -> None:
    class Session:
        def __repr__(self) -> str:
            return "<Session s3cr3t-token>"

    structlog.get_logger().info("open", session=Session())
    assert log.events()[0]["session"] == "<Session [redacted]>"


def test_a_short_secret_is_redacted_only_where_it_stands_alone(log: Log) -> None:
    register_secret("pw")
    structlog.get_logger().info("spwan with pw, or :pw@")
    assert log.events()[0]["event"] == "spwan with [redacted], or :[redacted]@"


def test_an_empty_secret_redacts_nothing() -> None:
    register_secret("")
    assert telemetry.redact("abc") == "abc"


def test_a_console_line_cannot_be_forged(console: Log) -> None:
    structlog.get_logger().info("stored", remarks="nice\n2026-01-01 [error] all is lost\x1b[2J")
    assert len(console.getvalue().splitlines()) == 1
    assert "\x1b[2J" not in console.getvalue()


def test_a_traceback_cannot_forge_a_console_line(console: Log) -> None:
    try:
        raise ValueError("bad\n2026-01-01 [error] forged")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert all(line.startswith("  ") for line in console.getvalue().splitlines()[1:])


def test_a_line_that_cannot_be_written_shows_nothing_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Log()
    telemetry.configure(True, "INFO", stream)
    stream.close()
    structlog.get_logger("unit").info("private words")
    telemetry.configure(False, "WARNING")
    shown = capsys.readouterr().err
    assert "private words" not in shown
    assert "a log line of unit was lost" in shown


def test_an_uncaught_exception_of_a_thread_is_logged_redacted(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    telemetry.install_excepthooks()

    def fail() -> None:
        raise RuntimeError("s3cr3t-token")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (event,) = log.events()
    assert (event["event"], event["level"]) == ("uncaught", "critical")
    assert "s3cr3t" not in log.getvalue()


def test_levels_below_the_chosen_are_silent(log: Log) -> None:
    structlog.get_logger().debug("quiet")
    assert log.getvalue() == ""


def test_metrics_are_in_the_prometheus_text_format() -> None:
    assert "# TYPE process_start_time_seconds gauge" in telemetry.metrics_text()
