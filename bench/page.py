"""docs/performance.md, from the results: for a reader who knows neither the code nor the machine."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure
from bench.results import Measured, Results
from bench.table import ratio, spread, target, verdict

_ABOUT = {
    "parse": (
        "Reading a page of listings",
        "An MLS sends at most 100 listings at a time, as XML. *Typed records* are what the writer stores: each element "
        "in its column, converted and checked, with a hash that tells whether anything changed. The floor only builds "
        "lxml's tree in memory and looks at nothing in it.",
    ),
    "inventory": (
        "Reading an inventory",
        "The list of all keys with their timestamps, by which mlsync finds what is new, changed and gone. Keys are any "
        "text, in any order. The floor is the parser alone, with nothing done about what it finds.",
    ),
    "reconcile": ("Comparing an inventory with what is stored", "Which listings are missing, changed or gone."),
    "messages": (
        "Messages",
        "Listings travel between processes by RabbitMQ, a page in one message. Each message is on the broker's disk "
        "before its sender goes on.",
    ),
    "postgres_write": ("Writing to PostgreSQL", "Pages of listings, a commit each, in all tables."),
    "sqlite_write": ("Writing to SQLite", "Pages of listings, a commit each, in all tables."),
    "chain": (
        "The whole way of a new listing",
        "Bytes of a page, records, RabbitMQ, the writer in another process, rows committed in PostgreSQL.",
    ),
    "photos": (
        "Downloading photos",
        "nginx serves photos of 100 to 300 KB, each after 50 ms, as a distant server would. wrk, which throws them "
        "away, says how many can be had. A round counts only if wrk reaches nine tenths of what the latency allows.",
    ),
    "workers": (
        "The media service",
        "From the message that a listing has photos to the row that names the stored one: downloaded, decoded to the "
        "last pixel, written to disk or S3 and synced, noted in PostgreSQL before and after. Then several processes "
        "beside each other, on the same cores.",
    ),
    "multipart": (
        "Photos out of the MLS itself",
        "Servers that have no addresses for photos send all of a listing's in one answer, which must be taken apart to "
        "the byte.",
    ),
    "syncs": (
        "Whole syncs",
        "`mlsync sync` against a simulated MLS on the same cores, without photos; the embedded form with its SQLite "
        "file, the distributed one in processes of their own with RabbitMQ and PostgreSQL. What is multiplied is the "
        "time that so many listings take against the fewest of the same form. Memory is the process's peak, in the "
        "distributed form the sum of all. With 100,000 listings there is one round, and the distributed form is "
        "measured only with `MLSYNC_BENCH_LONG=1`, for it takes longer than the rest together.",
    ),
}


def text(results: Results) -> str:
    """The page."""
    return "\n".join([*_head(results), *(line for name in _ABOUT for line in _section(name, results))])


def _head(results: Results) -> Iterator[str]:
    figures = [figure for measured in results.measured.values() for figure in measured.figures]
    with_target = [figure for figure in figures if figure.target]
    met = sum(figure.met is True for figure in with_target)
    yield from (
        "# Performance",
        "",
        "Written by `make bench`, which measures it all again (tens of minutes; as root on Debian it installs what "
        "it needs). No row is a promise in seconds: machines differ. Each is a **ratio to a floor**, the least that "
        "such work can cost, or the usual way of doing it, measured in the same run and in turns with it, so that "
        "whatever else the machine was doing met both. The ratio is the median of the rounds; beside it stand the "
        "lowest and the highest. Work that waits for nothing is measured in processor time, all else by the clock.",
        "",
        f"**{met} of {len(with_target)} targets are met** in what follows.",
        "",
        "| Machine | |",
        "|---|---|",
    )
    for name, value in results.machine.items():
        yield f"| {name} | {value} |"
    yield ""
    yield "*Load* is how many processes wanted a core in the minute before a benchmark. Where it is near the number of"
    yield "cores, others were at work, and rows that need several processes at once look worse than they are."
    yield ""


def _section(name: str, results: Results) -> Iterator[str]:
    title, about = _ABOUT[name]
    measured = results.measured.get(name)
    if measured is None:
        return
    yield from (f"## {title}", "", about, "")
    if measured.figures:
        yield from ("| What | Ratio | Rounds | Of | Target | | Here |", "|---|---|---|---|---|---|---|")
        yield from map(_row, measured.figures)
        yield ""
    yield _when(measured)
    yield ""


def _row(figure: Figure) -> str:
    here = ", ".join(f"{name}: {_plain(value)}" for name, value in figure.detail.items())
    cells = (
        figure.path, f"**{ratio(figure)}**", spread(figure), figure.floor, target(figure),
        verdict(figure), here,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _plain(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _when(measured: Measured) -> str:
    failed = f"**Not measured: {measured.error}.** " if measured.error else ""
    return f"{failed}*{measured.at}, {measured.rounds} rounds, {measured.seconds:.0f} s, load {measured.load}*"
