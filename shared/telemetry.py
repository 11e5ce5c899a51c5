"""Logs and metrics: one structured line per event, no secret in any of them, nothing in them that drives a terminal.

What an MLS sends ends up in logs: control characters (terminal escapes, forged lines) and bidirectional overrides are
escaped in every value, keys and tracebacks included. Registered secrets are replaced wherever they appear, also in
what libraries log and in exceptions.
"""

from __future__ import annotations

import json as json_codec
import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

METRICS_CONTENT_TYPE = CONTENT_TYPE_LATEST
REDACTED = "[redacted]"

# C0, DEL, C1, marks and overrides of writing direction, line and paragraph separators, byte order mark, surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SHORT_SECRET = 4
_QUIET_LIBRARIES = ("alembic", "PIL", "requests")
_SILENT_LIBRARIES = ("pika", "urllib3")
"""Those that tell at every attempt to connect what the modules that use them tell once."""


def escape(text: str) -> str:
    r"""``text`` with everything that could drive a terminal written out: ``\n``, ``\x1b``, ``\u202e``."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


class _Secrets:
    """The values that no output may show, as one pattern of every form in which they are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        if not value:
            return
        forms = {value, quote(value, safe=""), quote(value), quote_plus(value), repr(value)[1:-1]}
        forms |= {json_codec.dumps(value)[1:-1], escape(value)}
        with self._lock:
            self._forms |= forms
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_form_pattern, longest_first)))

    def redact(self, text: str) -> str:
        pattern = self._pattern
        return pattern.sub(REDACTED, text) if pattern else text


def _form_pattern(form: str) -> str:
    # A secret of one to three characters is part of many words: it is one only where it stands alone.
    literal = re.escape(form)
    return literal if len(form) >= _SHORT_SECRET else rf"(?<!\w){literal}(?!\w)"


_secrets = _Secrets()


def register_secret(value: str) -> None:
    """From now on ``value`` appears in no log line, as it is, URL-encoded, or quoted; ``[redacted]`` stands there."""
    _secrets.add(value)


def redact(text: str) -> str:
    """``text`` with every registered secret replaced by ``[redacted]``."""
    return _secrets.redact(text)


def configure(json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to ``stream`` (default stderr), one line each.

    ``json`` chooses JSON lines; otherwise lines for people, coloured on a terminal. Calling it again replaces
    the former set-up. Libraries speak from WARNING up unless ``level`` is DEBUG.
    """
    target = stream or sys.stderr
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=24)
    )
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                sanitize,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET if level.upper() == "DEBUG" else logging.WARNING)
    for name in _SILENT_LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET if level.upper() == "DEBUG" else logging.CRITICAL)
    logging.captureWarnings(True)


def sanitize(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every key and value redacted and escaped, whatever its type and however deep.

    Tracebacks keep their lines, each indented, so that no line of them can pose as an event of its own.
    """
    for key in list(event):
        value = event.pop(key)
        if key in ("exception", "stack") and isinstance(value, str):
            event[key] = "\n".join("  " + escape(line) for line in redact(value).split("\n"))
        else:
            event[_clean_text(key)] = _clean(value)
    return event


def _clean_text(text: str) -> str:
    return escape(redact(text))


def _clean(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _clean_text(value)
        case Mapping():
            return {_clean_text(str(key)): _clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(item) for item in value]
        case _:
            return _clean_text(repr(value))


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; when one cannot be written says only that, for the standard report would show what was in it."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[0]
        if self.stream is not sys.stderr and sys.stderr is not None:
            sys.stderr.write(f"a log line of {record.name} was lost: {error.__name__ if error else 'unknown'}\n")


def install_excepthooks() -> None:
    """Let exceptions that nobody caught, in any thread, end in the log, redacted, rather than raw on stderr."""
    log = structlog.stdlib.get_logger("mlsync")

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("uncaught", exc_info=(kind, error, trace))

    def of_thread(hooked: threading.ExceptHookArgs) -> None:
        if hooked.exc_value is not None and not isinstance(hooked.exc_value, SystemExit):
            of_process(hooked.exc_type, hooked.exc_value, hooked.exc_traceback)

    sys.excepthook = of_process
    threading.excepthook = of_thread


def metrics_text() -> str:
    """Every metric of this process in the Prometheus text format; its type is ``METRICS_CONTENT_TYPE``."""
    return generate_latest(REGISTRY).decode()
