"""The ``mlsync`` command: parses, and hands over to the modules that do the work.

Exit codes: 0 in step; 1 it could not be done; 2 usage or settings; 3 something is held, failed, unavailable or
quarantined.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from services import collector, operator, report
from services.app import SERVICES, App, PhotoStoreError, database_name
from services.asking import sync_or_ask
from services.migrated import wait_until_migrated
from services.outcome import FeedReport
from services.patience import rest
from services.progress import counting, watch_or_log
from services.words import Usual
from shared import telemetry
from shared.instants import instant
from shared.settings import Settings, SettingsError, load, secrets_of
from shared.sources.base import SourceError
from shared.store.base import StoreError
from shared.transport.base import TransportUnavailableError

if TYPE_CHECKING:
    from services.tabular import Form

OK, FAILED, USAGE, NOT_IN_STEP = 0, 1, 2, 3

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Settings file [default: mlsync.yaml, if it is there]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout")]
FormOption = Annotated[str, typer.Option("--format", metavar="FORM", help="table, csv or json")]
FeedOption = Annotated[
    list[str] | None,
    typer.Option("--feed", "-f", metavar="NAME", help="Only this feed; may be repeated [default: all]"),
]

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="Name of the feed")]
KeysArgument = Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Only these keys [default: all]")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids that `quarantine list` shows")]

app = typer.Typer(
    name="mlsync",
    help="Keeps a database and a photo store in step with an MLS, unattended, for years.",
    epilog="Start with: mlsync demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlsync {version('mlsync')}")
        raise typer.Exit(OK)


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit")
    ] = False,
) -> None:
    """Keeps a database and a photo store in step with an MLS, unattended, for years."""


audit_app = typer.Typer(
    help="Compare what is stored with what should be.", epilog="Example: mlsync audit media", no_args_is_help=True
)
removals_app = typer.Typer(
    help="Decide what becomes of removals that are held.", epilog="Example: mlsync removals list", no_args_is_help=True
)
quarantine_app = typer.Typer(
    help="See, replay or drop what could not be handled.",
    epilog="Example: mlsync quarantine list",
    no_args_is_help=True,
)
metadata_app = typer.Typer(
    help="Show what an MLS has, and what became of it: mlsync metadata FEED is short for metadata show FEED.",
    epilog="Example: mlsync metadata board Property RES --csv",
    no_args_is_help=True,
    cls=Usual,
)
app.add_typer(metadata_app, name="metadata")
app.add_typer(audit_app, name="audit")
app.add_typer(removals_app, name="removals")
app.add_typer(quarantine_app, name="quarantine")


class Resource(StrEnum):
    """The resources that have records of their own."""

    property = "property"
    member = "member"
    office = "office"


class Service(StrEnum):
    """The services `run` knows."""

    fetcher = "fetcher"
    reconciler = "reconciler"
    writer = "writer"
    media = "media"
    geocoder = "geocoder"


@contextmanager
def errors() -> Iterator[None]:
    """Errors that name the thing and the remedy, on stderr, with the documented exit code."""
    try:
        yield
    except SettingsError as error:
        _fail(str(error), USAGE)
    except (StoreError, TransportUnavailableError, PhotoStoreError, SourceError) as error:
        _fail(str(error), FAILED)


def _fail(message: str, code: int) -> None:
    for line in telemetry.redact(message).splitlines():
        typer.echo(f"mlsync: {telemetry.escape(line)}", err=True)
    raise typer.Exit(code)


def _settings(config: Path | None, *, level: str | None = None) -> Settings:
    settings = load(config)
    telemetry.configure(json=not sys.stderr.isatty(), level=(level or settings.log_level).upper(), stream=sys.stderr)
    for secret in secrets_of(settings):
        telemetry.register_secret(secret)
    return settings


def _of_feed(config: Path | None, feed: str) -> Settings:
    settings = _settings(config, level="warning" if sys.stderr.isatty() else None)
    _chosen(settings, [feed])
    return settings


def _chosen(settings: Settings, names: list[str] | None) -> list[str]:
    if not settings.feeds:
        raise SettingsError(
            "no feed is configured. Give one in mlsync.yaml or by the environment, for example\n"
            "  MLSYNC_FEEDS__DDF__PROTOCOL=ddf MLSYNC_FEEDS__DDF__USERNAME=… MLSYNC_FEEDS__DDF__PASSWORD=…\n"
            "or see it work without one: mlsync demo"
        )
    for name in names or ():
        if name not in settings.feeds:
            raise SettingsError(f"--feed {name}: no such feed is configured; there are {', '.join(settings.feeds)}")
    return list(dict.fromkeys(names)) if names else list(settings.feeds)


def _stop_on_signal(running: App, code: int) -> None:
    """The first signal lets it finish what is in hand, a second one ends it at once.

    When the grace time is over it ends with ``code``, whatever hangs: nothing is lost that is not found again.
    """

    def stop(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        running.stop()
        last = threading.Timer(running.settings.grace, os._exit, (code,))
        last.daemon = True
        last.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _exit_code(reports: list[FeedReport]) -> int:
    if any(item.error for item in reports):
        return FAILED
    return OK if all(item.in_step for item in reports) else NOT_IN_STEP


@app.command(epilog="Example: mlsync demo")
def demo(
    listings: Annotated[int, typer.Option(metavar="N", help="Listings at the simulated MLS", min=1)] = 500,
    photos: Annotated[int, typer.Option(metavar="N", help="Photos of a listing, on average", min=0)] = 5,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the demo keeps its database and photos")] = Path(
        "data/demo"
    ),
) -> None:
    """See it work: sync a simulated MLS, let time pass there, sync again. Needs nothing."""
    from services.demo import run_demo

    telemetry.configure(json=not sys.stderr.isatty(), level="WARNING", stream=sys.stderr)
    with errors():
        raise typer.Exit(run_demo(listings, photos, folder, Console()))


@app.command(epilog="Example: mlsync sync --feed ddf --json")
def sync(
    config: ConfigOption = None,
    feed: FeedOption = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Fetch only N listings, with their photos; removes nothing", min=1)
    ] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for retries due later, and for addresses", min=0)
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Bring the feeds in step with their MLS, once.

    With a broker a process that fetches for the feed is asked to, where one runs; else all services run here.
    """
    with errors():
        progress = sys.stderr.isatty()
        settings = _settings(config, level="warning" if progress else None)
        names = _chosen(settings, feed)
        running = App(settings)
        _stop_on_signal(running, FAILED)
        with closing(running), watch_or_log(running, progress) as watch:
            reports = sync_or_ask(running, names, limit=limit, wait=wait, watch=watch)
    if as_json:
        typer.echo(json.dumps({"feeds": {item.feed: item.as_json() for item in reports}}))
    else:
        report.print_sync(Console(), reports)
    raise typer.Exit(_exit_code(reports))


@app.command(epilog="Example: mlsync run            (all five services); mlsync run writer media")
def run(
    services: Annotated[
        list[Service] | None, typer.Argument(help="Services to run [default: all five]", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Keep the feeds in step, on their schedule, until told to stop.

    With a broker each service may run in processes of its own, as many as are wanted.
    """
    from services.observed import observed
    from services.schedule import keep_in_step

    with errors():
        settings = _settings(config)
        names = _chosen(settings, None)
        chosen = [item.value for item in services] if services else SERVICES
        running = App(settings)
        if running.form.alone and set(chosen) != set(SERVICES):
            raise SettingsError(
                "with broker_url memory: (MLSYNC_BROKER_URL) all five services run in one process; leave the names out"
            )
        _stop_on_signal(running, OK)
        with observed(running, chosen), running.running(chosen):
            if "fetcher" in chosen:
                keep_in_step(running, names)
            else:
                rest(running.stopping)


@app.command(epilog="Example: mlsync status --json")
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What is stored, how fresh it is, and what is not in step."""
    with errors():
        settings = _settings(config)
        found = report.statuses(settings)
        standings = report.standings(settings)
        if as_json:
            shown = {name: report.status_json(item) | standings[name].as_json() for name, item in found.items()}
            typer.echo(json.dumps({"feeds": shown}))
        else:
            report.print_status(Console(), found)
            report.print_standings(Console(), standings)


@app.command(epilog="Example: mlsync check --config mlsync.yaml")
def check(config: ConfigOption = None) -> None:
    """Explain the settings, and try database, photo folder and each feed's login."""
    from services.check import run_check

    with errors():
        settings = _settings(config, level="error")
        raise typer.Exit(OK if run_check(settings, Console()) else FAILED)


@app.command(epilog="Example: mlsync migrate")
def migrate(
    config: ConfigOption = None,
    wait: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Change nothing; wait so long for somebody else to have done it", min=0),
    ] = None,
) -> None:
    """Make the tables, or bring them to this version; make the bucket or folder for photos, and a broker's queues."""
    with errors():
        settings = _settings(config, level="warning")
        running = App(settings, beside=wait is not None)
        try:
            if wait is None:
                running.form.declare(running.queues)
                running.prepare_photos()
                running.store.migrate()  # last: who waits looks at the tables
            else:
                wait_until_migrated(running.store, wait)
        finally:
            running.close()
        typer.echo(f"{database_name(settings)} is at this version")


@app.command(epilog="Example: mlsync ingest answer.xml --feed ddf --dry-run")
def ingest(
    files: Annotated[list[Path], typer.Argument(help="Saved Search answers", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option("--feed", "-f", metavar="NAME", help="The feed they belong to")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the typed records, write nothing")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write saved Search answers exactly as if they had been fetched. Uses no network."""
    from services.ingest import run_ingest

    with errors():
        settings = _settings(config, level="warning" if sys.stderr.isatty() else None)
        _chosen(settings, [feed])
        raise typer.Exit(run_ingest(settings, feed, files, dry_run=dry_run, as_json=as_json, console=Console()))


@app.command(epilog="Example: mlsync remap --feed ddf")
def remap(config: ConfigOption = None, feed: FeedOption = None, as_json: JsonOption = False) -> None:
    """Apply the mapping again to every record as the MLS sent it. Asks the MLS for nothing."""
    from services import remap as work

    with errors():
        progress = sys.stderr.isatty()
        settings = _settings(config, level="warning" if progress else None)
        names = _chosen(settings, feed)
        running = App(settings)
        try:
            running.open()
            with counting("records", bars=progress) as watch:
                found = work.remap(running, names, watch)
        finally:
            running.close()
    for name, done in found.items():
        if not as_json:
            typer.echo(work.in_words(name, done))
    if as_json:
        typer.echo(json.dumps(work.as_json(found)))
    raise typer.Exit(NOT_IN_STEP if any(done.unmappable for done in found.values()) else OK)


@app.command(epilog="Example: mlsync history 20000001 --field list_price")
def history(
    key: Annotated[str, typer.Argument(metavar="LISTING_KEY", help="The MLS's key of the record")],
    feed: Annotated[str | None, typer.Option("--feed", "-f", metavar="NAME", help="Only in this feed")] = None,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this column, table of parts, or media")
    ] = None,
    resource: Annotated[Resource, typer.Option(help="What the key is one of")] = Resource.property,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each change")] = False,
) -> None:
    """What changed of a listing since it was first read, newest last."""
    from services import history as shown

    with errors(), operator.opened(_settings(config, level="warning")) as store:
        shown.check_field(field)
        feeds = shown.feeds_with(store, resource.value, key, feed)
        if not as_json:
            shown.print_history(Console(), store, feeds, resource.value, key, field)
            return
        for line in shown.as_lines(store, feeds, resource.value, key, field):
            typer.echo(line)


@app.command(epilog="Example: mlsync forget ddf")
def forget(
    feed: FeedArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete a feed for good: its rows, its history and its photos."""
    from services import forget as work

    with errors():
        progress = sys.stderr.isatty()
        settings = _settings(config, level="warning" if progress else None)
        if not yes and not sys.stdin.isatty():
            raise SettingsError(f"forget {feed}: nobody is there to confirm it; give --yes if it is meant")
        held = work.forget(
            settings, feed, lambda found: yes or work.confirm(feed, found), partial(counting, bars=progress)
        )
    if held is None:
        typer.echo("nothing was deleted")
        raise typer.Exit(FAILED)
    typer.echo(f"{feed} is forgotten: {work.in_words(held)}")
    if feed in settings.feeds:
        typer.echo(f"{feed} is still configured: the next sync reads it all again")


@audit_app.command("media", epilog="Example: mlsync audit media --json")
def audit_media(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Compare the photo store with the database, delete what nothing needs, want again what is lost."""
    from services.audit import audit

    with errors():
        settings = _settings(config, level="warning")
        running = App(settings)
        try:
            running.open()
            with running.form.only("audit") as mine:
                if not mine:
                    raise StoreError("another process is auditing the photo store; try again when it is done")
                found = audit(running.store, running.blobs, settings.feeds)
        finally:
            running.close()
    typer.echo(json.dumps(found.as_json()) if as_json else found.in_words())
    raise typer.Exit(OK if not found.lost else NOT_IN_STEP)


@removals_app.command("list", epilog="Example: mlsync removals list")
def removals_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Removals held, or approved and waiting for the next inventory."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        holds = store.holds.list()
        if as_json:
            typer.echo(operator.holds_json(holds))
        else:
            operator.print_holds(Console(), holds)


@removals_app.command("show", epilog="Example: mlsync removals show ddf")
def removals_show(feed: FeedArgument, config: ConfigOption = None) -> None:
    """The keys held, one a line."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        for hold in store.holds.list(feed):
            typer.echo(f"{hold.resource} {telemetry.escape(hold.key)} {hold.state} since {instant(hold.since)}")


@removals_app.command("approve", epilog="Example: mlsync removals approve ddf")
def removals_approve(feed: FeedArgument, keys: KeysArgument = None, config: ConfigOption = None) -> None:
    """Let held removals go, with the next inventory that still lacks them."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        typer.echo(f"{store.holds.approve(feed, keys)} approved; the next sync removes those the MLS still lacks")


@removals_app.command("discard", epilog="Example: mlsync removals discard ddf 20000001")
def removals_discard(feed: FeedArgument, keys: KeysArgument = None, config: ConfigOption = None) -> None:
    """Keep the listings; a later inventory that lacks them holds them again."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        typer.echo(f"{store.holds.discard(feed, keys)} discarded")


@quarantine_app.command("list", epilog="Example: mlsync quarantine list --json")
def quarantine_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Records and messages that could not be handled, with the reason."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        parked = store.quarantine.list()
        if as_json:
            shown = [{**operator.parked_json(item), "body": None} for item in parked]
            typer.echo(json.dumps(shown))
        else:
            operator.print_parked(Console(), parked)


@quarantine_app.command("show", epilog="Example: mlsync quarantine show 1f0c5a7be0d2c3a4")
def quarantine_show(ids: IdsArgument, config: ConfigOption = None) -> None:
    """What was set aside, as JSON."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        for item in operator.chosen(store.quarantine.list(), ids):
            typer.echo(msgspec.json.format(msgspec.json.encode(operator.parked_json(item))).decode())


@quarantine_app.command("replay", epilog="Example: mlsync quarantine replay 1f0c5a7be0d2c3a4")
def quarantine_replay(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Handle it again, as it was observed then."""
    with errors():
        replayed, left = operator.replay(_settings(config, level="error"), ids)
        typer.echo(f"{replayed} replayed, {left} still in quarantine")
        raise typer.Exit(NOT_IN_STEP if left else OK)


@quarantine_app.command("drop", epilog="Example: mlsync quarantine drop 1f0c5a7be0d2c3a4")
def quarantine_drop(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Forget it, bytes and all."""
    with errors(), operator.opened(_settings(config, level="warning")) as store:
        items = operator.chosen(store.quarantine.list(), ids)
        store.quarantine.drop([item.id for item in items])
        typer.echo(f"{len(items)} dropped")


@metadata_app.command("show", epilog="Example: mlsync metadata show board Property RES --csv")
def metadata_show(
    feed: FeedArgument,
    resource: Annotated[str | None, typer.Argument(metavar="[RESOURCE]", help="Only this resource")] = None,
    class_name: Annotated[str | None, typer.Argument(metavar="[CLASS]", help="The fields of this class")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV")] = False,
) -> None:
    """Show what an MLS has: resources and classes, lookups with their values, fields. Logs in."""
    from services import explorer
    from services.tabular import Form

    with errors():
        settings = _of_feed(config, feed)
        form = Form.json if as_json else Form.csv if as_csv else Form.table
        typer.echo(explorer.metadata(settings, feed, resource, class_name, form))


@metadata_app.command("diff", epilog="Example: mlsync metadata diff board")
def metadata_diff(feed: FeedArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What became of the metadata since they were first read. Asks the MLS nothing."""
    from services import drifted

    with errors(), operator.opened(_of_feed(config, feed)) as store:
        if as_json:
            typer.echo(json.dumps(drifted.as_json(store, feed)))
            return
        for line in drifted.in_words(store, feed):
            typer.echo(line)


@metadata_app.command("approve", epilog="Example: mlsync metadata approve board property RES")
def metadata_approve(
    feed: FeedArgument,
    resource: Annotated[str | None, typer.Argument(metavar="[RESOURCE]", help="property, member, …")] = None,
    class_name: Annotated[str | None, typer.Argument(metavar="[CLASS]", help="Only of this class")] = None,
    config: ConfigOption = None,
) -> None:
    """Believe that fields held, too many to vanish at once, are gone for good."""
    from services import drifted

    with errors(), operator.opened(_of_feed(config, feed)) as store:
        typer.echo(f"{drifted.approve(store, feed, resource, class_name)} fields are gone; their last values stay")


def _form(output: str) -> Form:
    """Raises SettingsError."""
    from services.tabular import Form

    if output not in list(Form):
        raise SettingsError(f"--format {output}: give one of {', '.join(Form)}")
    return Form(output)


def _names(select: str) -> list[str]:
    return [name.strip() for name in select.split(",") if name.strip()]


@app.command(epilog="Example: mlsync search board Property RES '(CITY=Moncton)' --select LIST_KEY,PRICE --limit 5")
def search(
    feed: FeedArgument,
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="Resource, as the MLS calls it")],
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Class, as the MLS calls it")],
    query: Annotated[str, typer.Argument(metavar="DMQL", help="What to find, in DMQL2")],
    select: Annotated[
        str, typer.Option(metavar="FIELD,FIELD", help="Only these fields, by SystemName [default: all]")
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="Rows to ask for", min=1, max=10_000)] = 20,
    output: FormOption = "table",
    config: ConfigOption = None,
) -> None:
    """Show records of an MLS as it writes them. Logs in; stores nothing."""
    from services import explorer

    with errors():
        settings = _of_feed(config, feed)
        rows, said = explorer.search(settings, feed, resource, class_name, query, _names(select), limit, _form(output))
        typer.echo(rows)
        typer.echo(said, err=True)


@app.command("object", epilog="Example: mlsync object board Property Photo '20000001:*' -o photos")
def object_(
    feed: FeedArgument,
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="Resource, as the MLS calls it")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Type of object, as the MLS calls it")],
    ids: Annotated[
        str, typer.Argument(metavar="ID", help="KEY:* (all), KEY:1:2, KEY (the preferred one); joined by ,")
    ],
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Keep the bytes in this folder")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the objects of records of an MLS: photos, plats, films. Logs in; stores nothing without -o."""
    from services import objects
    from services.tabular import Form

    with errors():
        settings = _of_feed(config, feed)
        shown = objects.objects(settings, feed, resource, kind, ids, folder, Form.json if as_json else Form.table)
        typer.echo(shown.text)
        raise typer.Exit(OK if shown.well else NOT_IN_STEP)


@app.command(epilog="Example: mlsync query board RES '(ListPrice=500000-)' --select LIST_KEY,ListPrice --limit 5")
def query(
    feed: FeedArgument,
    class_name: Annotated[
        str, typer.Argument(metavar="CLASS", help="Class, as the MLS calls it; RESOURCE:CLASS where several do")
    ],
    dmql: Annotated[str, typer.Argument(metavar="DMQL", help="What to find, in DMQL2")],
    select: Annotated[
        str, typer.Option(metavar="FIELD,FIELD", help="Only these, by SystemName or StandardName [default: all]")
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="Rows to show", min=1, max=10_000)] = 20,
    output: FormOption = "table",
    config: ConfigOption = None,
) -> None:
    """Show stored records of a feed, found by the MLS's own names. Asks no MLS."""
    from services import query as stored

    with errors():
        settings = _of_feed(config, feed)
        rows, said = stored.query(settings, feed, class_name, dmql, _names(select), limit, _form(output))
        typer.echo(rows)
        typer.echo(said, err=True)


@app.command(epilog="Example: mlsync info board")
def info(feed: FeedArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what an MLS says at login: who you are there, what it offers, its notice. Logs in."""
    from services import explorer

    with errors():
        settings = _of_feed(config, feed)
        typer.echo(explorer.info(settings, feed, as_json=as_json))


@app.command(epilog="Example: mlsync probe board --log wire.txt")
def probe(
    feed: FeedArgument,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Write requests and answers here, without secrets")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try what a RETS server can do, and print settings for the feed. Logs in, several times; stores nothing."""
    from services.probe import command

    with errors():
        settings = _of_feed(config, feed)
        text, well = command.run(settings, feed, log, as_json=as_json)
        typer.echo(text)
        raise typer.Exit(OK if well else FAILED)


@app.command(epilog="Example: mlsync simulator --port 8800 --listings 200 --control")
def simulator(
    port: Annotated[int, typer.Option(metavar="PORT", help="Port; 0 takes a free one", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    personality: Annotated[str, typer.Option(help="Which MLS to be: ddf or mls")] = "ddf",
    listings: Annotated[int, typer.Option(metavar="N", help="Listings at the start", min=0)] = 500,
    photos: Annotated[int, typer.Option(metavar="N", help="Photos of a listing, on average", min=0)] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same MLS")] = 1,
    username: Annotated[str, typer.Option(help="User name to ask for")] = "demo",
    password: Annotated[str, typer.Option(help="Password to ask for")] = "demo",  # noqa: S107 - a simulator's
    user_agent: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Allow only this user agent; may be repeated")
    ] = None,
    user_agent_password: Annotated[
        str, typer.Option(metavar="WORD", help="What user agents must prove to know; empty: nothing")
    ] = "",
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=VALUE]", help="Switch a fault on; may be repeated")
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Print the faults and exit")] = False,
    control: Annotated[bool, typer.Option("--control", help="Serve /control/ on loopback")] = False,
) -> None:
    """An MLS in a box: a real RETS server with invented listings, for demos and tests."""
    from services.simulator.faults import describe
    from services.simulator.main import serve
    from services.simulator.options import Options

    if list_faults:
        typer.echo(describe())
        raise typer.Exit(OK)
    try:
        options = Options(
            port=port, host=host, personality=personality, listings=listings, photos=photos, seed=seed,
            username=username, password=password, user_agents=user_agent or [],
            user_agent_password=user_agent_password, faults=fault or [], control=control,
        )  # fmt: skip
        raise typer.Exit(serve(options))
    except ValueError as error:
        _fail(str(error), USAGE)


def main() -> None:
    """Entry of the ``mlsync`` command."""
    telemetry.install_excepthooks()
    collector.look_seldom()
    os.umask(0o022)
    typer.main.get_command(app)()  # app() would put typer's own hook before ours, which redacts


if __name__ == "__main__":
    main()
