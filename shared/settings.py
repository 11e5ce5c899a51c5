"""What can be configured: a file, the environment (which wins and merges with the file), and defaults.

``mlsync.yaml`` in the working folder, or the file named by ``--config`` or ``MLSYNC_CONFIG``. Every setting can be
given as ``MLSYNC_<NAME>``, one of a feed as ``MLSYNC_FEEDS__<FEED>__<NAME>``. Nothing is read at import.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)
from yaml import YAMLError

from shared.history import EVERYTHING, NOISE, fields
from shared.hours import parse_hours
from shared.mapping.columns import MappingError
from shared.mapping.spec import load_spec
from shared.rets.search import SearchFormat
from shared.rets.user_agent import Scheme

DEFAULT_FILE = "mlsync.yaml"
FEED_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class SettingsError(Exception):
    """The settings are unusable; each line names the setting, what is wrong and what to do."""


def _seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", value)):
        return float(match[1]) * UNITS[match[2] or "s"]
    if isinstance(value, str):
        raise ValueError("give a duration such as 90, 90s, 15m, 1h or 7d")
    return value


def _listed(value: object) -> object:
    """``a,b`` as a list; JSON too, since that is what pydantic-settings asks for elsewhere."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("give names separated by commas") from None


Duration = Annotated[float, BeforeValidator(_seconds)]
Names = Annotated[list[str], NoDecode, BeforeValidator(_listed)]
Resource = Literal["property", "member", "office"]
Described = Literal["property", "member", "office", "open_house"]
MediaPolicy = Literal["none", "link", "url", "location", "bytes"]


class Strict(BaseModel):
    """Frozen, and refuses names it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Override(Strict):
    """What the metadata of an MLS do not say of one of its resources, or say wrongly."""

    resource: str = Field("", description="The MLS's name for the resource; unset: the one with the usual name")
    classes: Names = Field(default_factory=list, description="Which of its classes to read; unset: all")
    key_field: str = Field(
        "",
        description="SystemName or StandardName of the key, or several with commas between, of which the first counts "
        "that a class has; unset: the metadata's KeyField",
    )
    timestamp_field: str = Field(
        "",
        description="The same of the timestamp of the last change, - for none; unset: the metadata's ClassTimeStamp",
    )
    photo_timestamp_field: str = Field(
        "", description="property: SystemName of the timestamp of the photos; unset: as the metadata say"
    )
    photo_count_field: str = Field(
        "",
        description="property: SystemName of the number of photos, without which none are had; unset: as the "
        "metadata say",
    )
    photo_type: str = Field(
        "",
        description="property: type of object to take as photos; unset: HiRes, LargePhoto or Photo, else any that "
        "is a picture",
    )
    objects: Names = Field(
        default_factory=list,
        description="property, member, office: further types of object to keep, as the metadata name them (Plat, "
        "Audio): their bytes, not decoded",
    )
    object_links: Names = Field(
        default_factory=list,
        description="The same of types whose addresses are to be kept instead (Video); nothing is downloaded",
    )
    listing_field: str = Field(
        "", description="open_house: SystemName of the listing's key; unset: as StandardNames or foreign keys say"
    )

    @property
    def all_objects(self) -> list[str]:
        """Types of object to keep beside the photos, in either way."""
        return [*self.objects, *self.object_links]

    @model_validator(mode="after")
    def _once(self) -> Override:
        named = self.all_objects
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"objects, object_links: {twice} is there twice")
        return self


class FeedSettings(Strict):
    """One credential at one MLS."""

    protocol: Literal["ddf", "rets"] = Field(
        description="What the MLS speaks: ddf (CREA's Data Distribution Facility), or rets (any RETS server, by its "
        "metadata)"
    )
    login_url: str = Field(
        "production", description="Login URL; for ddf also `production` or `sample`, CREA's own", examples=["sample"]
    )
    username: str = Field(min_length=1, description="User name of the feed")
    password: SecretStr = Field(min_length=1, description="Password of the feed")
    user_agent: str = Field("mlsync/0.1", description="User-Agent header; some servers allow only agreed ones")
    user_agent_password: SecretStr | None = Field(
        None, description="Password of the User-Agent, for servers that agreed on one; unset: no proof is sent"
    )
    user_agent_scheme: Scheme = Field(
        "standard", description="How the User-Agent is proved; standard is what the specification says"
    )
    rets_version: str = Field("RETS/1.7.2", description="RETS-Version header")
    overrides: dict[Described, Override] = Field(
        default_factory=dict,
        description="rets: by resource (property, member, office, open_house) what the metadata do not say, or say "
        "wrongly; see docs/generic.md",
    )
    search_format: SearchFormat = Field(
        "COMPACT",
        description="rets: format in which records are asked for. Where the server refuses it for being that format, "
        "the others are tried",
    )
    mapping_file: Path | None = Field(
        None, description="rets: file that says which further fields go to which columns; see docs/generic.md"
    )
    strategy: Literal["preferred", "incremental"] = Field(
        "preferred",
        description="preferred: master list, then records by key that are new or differ; "
        "incremental: first what changed since the last sync, then the same",
    )
    overlap: Duration = Field(
        3_600,
        ge=60,
        le=7 * 86_400,
        description="incremental: ask for changes again from so long before the last sync: an MLS may show a change "
        "later than its timestamp says",
    )
    inventory_every: Duration | None = Field(
        None,
        ge=0,
        description="incremental: take a master list at least this often, at most 1d; unset: with every sync, as "
        "preferred always does. Removals show only in a master list",
        examples=["6h"],
    )
    resources: Annotated[list[Resource], NoDecode, BeforeValidator(_listed)] = Field(
        ["property"],
        description="What to read by its own list: property, always and first; member (agents) and office with their "
        "photos, which are else known only as listings name them",
        examples=["property,member,office"],
    )
    sessions: int = Field(1, ge=1, le=32, description="Sessions open at the MLS at once")
    every: Duration = Field(3_600, ge=1, description="Time between two syncs of `mlsync run`", examples=["15m"])
    hours: str | None = Field(
        None,
        description="When `mlsync run` may start syncs, with a time zone: 09:00-03:00 America/Toronto; unset: always",
    )
    requests_per_second: float | None = Field(
        None,
        ge=0.01,
        description="Most requests to the MLS in any second; 0.5: one in any two seconds; unset: no limit",
    )
    requests_per_hour: int | None = Field(
        None, ge=10, description="Most requests to the MLS in any hour; unset: no limit"
    )
    requests_per_day: int | None = Field(
        None, ge=10, description="Most requests to the MLS in any 24 hours; unset: no limit"
    )
    bytes_per_hour: int | None = Field(
        None,
        ge=1_024,
        description="After so many bytes of the MLS's answers in an hour nothing more is asked (photos by URL do not "
        "count); unset: no limit",
    )
    quiet_hours: str | None = Field(
        None,
        description="When nothing is asked of the MLS, with a time zone: 23:00-03:00 America/Toronto; unset: never",
    )
    culture: Literal["en-CA", "fr-CA"] = Field("en-CA", description="Language of texts and lookups")
    photo_size: Literal["LargePhoto", "Photo", "ThumbnailPhoto"] = Field(
        "LargePhoto", description="Which size of a photo to take"
    )
    media: MediaPolicy = Field(
        "url",
        description="Photos: none; link (keep URLs, download nothing); url (download from the record's URLs); "
        "location (ask GetObject for URLs); bytes (take them from GetObject). rets: none, location or bytes, which is "
        "its default",
    )
    remove_at_least: int = Field(
        5, ge=0, description="An inventory may always remove this many listings; see remove_share"
    )
    remove_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Hold removals above the larger of remove_at_least and this share of what is stored",
    )
    confirm_after: Duration | None = Field(
        None, description="Let a held removal go once inventories have lacked the listing for so long; unset: never"
    )
    reread: Duration = Field(604_800, ge=3_600, description="Read every record again at least this often")
    geocode: bool = Field(
        True, description="Look up the coordinates of listings that come without, if a geocoder is set (`geocoder.url`)"
    )
    page_size: int = Field(100, ge=1, le=100, description="Records asked for in one request")
    history_exclude: list[str] = Field(
        list(NOISE),
        description="Columns, or tables of parts, whose changes `history_transactional` leaves out; `*`: it keeps none",
    )
    history_days: int | None = Field(
        None, ge=1, description="Delete history older than this many days when a sync begins; unset: keep it"
    )
    connect_timeout: Duration = Field(10, gt=0, description="Seconds to connect")
    read_timeout: Duration = Field(120, gt=0, description="Seconds without a byte before an answer is given up")
    answer_timeout: Duration = Field(900, gt=0, description="Seconds for a whole answer, however steadily it comes")
    proxy: SecretStr | None = Field(None, description="Proxy for all requests to this MLS, http://host:port")
    auth_hosts: Names = Field(
        default_factory=list, description="Hosts besides the login's that may be sent the credentials"
    )
    ca_bundle: Path | None = Field(None, description="File of certificate authorities to trust; unset: the usual ones")
    basic_over_cleartext: bool = Field(False, description="Allow Basic authentication over http:// beyond loopback")
    encoding: str = Field("cp1252", description="What bytes that are no UTF-8 are taken for")
    unescape: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Text the MLS escaped twice (`&eacute;` for é). auto: undone in records that show it, having "
        "neither `<` nor a bare `&` anywhere, and some reference besides `&amp;`; always: undone in each text that can "
        "be so, even if only `&amp;` shows it; never: kept",
    )
    placeholders: list[str] = Field(
        default_factory=list,
        description="SHA-256 (64 hexadecimal digits each) of pictures the MLS sends where it has no photo. They are "
        "never stored: such a photo counts as failed and is tried again. `mlsync status` names pictures many listings "
        "share",
    )
    private_hosts: Names = Field(
        default_factory=list,
        description="Hosts with private addresses that photos may come from, besides the login's own",
    )

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, given: object) -> object:
        """Records of a RETS server hold no addresses of photos."""
        if isinstance(given, dict) and given.get("protocol") == "rets":
            return {"media": "bytes"} | given
        return given

    @model_validator(mode="after")
    def _of_protocol(self) -> FeedSettings:
        if self.protocol == "ddf":
            if self.overrides or self.mapping_file is not None or self.search_format != "COMPACT":
                raise ValueError("overrides, search_format and mapping_file are for the protocol rets")
            return self
        if self.login_url in ("production", "sample"):
            raise ValueError("login_url: give the URL of the MLS's login")
        shows = self.overrides.get("open_house")
        if shows is not None and (shows.objects or shows.object_links):
            raise ValueError("overrides.open_house: objects are kept of property, member and office")
        if self.media in ("link", "url"):
            raise ValueError(f"media: {self.media} needs addresses in the records; give none, location or bytes")
        try:
            load_spec(self.mapping)
        except MappingError as error:
            raise ValueError(f"mapping_file: {error}") from None
        return self

    @property
    def mapping(self) -> str:
        """The mapping its records go through, as ``shared.mapping.mapping.load`` knows it."""
        return self.protocol if self.mapping_file is None else f"{self.protocol} {self.mapping_file.absolute()}"

    @field_validator("hours", "quiet_hours")
    @classmethod
    def _hours(cls, hours: str | None) -> str | None:
        return None if hours is None else parse_hours(hours).text

    @field_validator("inventory_every")
    @classmethod
    def _daily(cls, inventory_every: float | None) -> float | None:
        if inventory_every is not None and inventory_every > UNITS["d"]:
            raise ValueError(
                "lists of changes tell of no removal: a master list is needed at least daily; give 1d or less"
            )
        return inventory_every

    @field_validator("history_exclude")
    @classmethod
    def _fields(cls, names: list[str], info: ValidationInfo) -> list[str]:
        known = fields(info.data["protocol"]) if "protocol" in info.data else frozenset(names)
        for name in names:
            if name not in known and name != EVERYTHING:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"no column or table of parts is called {name}{hint}")
        return names

    @field_validator("login_url")
    @classmethod
    def _address(cls, login_url: str) -> str:
        parts = urlsplit(login_url)
        if login_url not in ("production", "sample") and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError("give production, sample, or the http(s) URL of the MLS's login")
        if "@" in parts.netloc:
            raise ValueError("the URL must not hold credentials; give them as username and password")
        return login_url

    @field_validator("resources")
    @classmethod
    def _listings_first(cls, resources: list[Resource]) -> list[Resource]:
        if resources[:1] != ["property"] or len(set(resources)) != len(resources):
            raise ValueError("give property first, then member, office or both, each once")
        return resources

    @field_validator("placeholders")
    @classmethod
    def _hashes(cls, placeholders: list[str]) -> list[str]:
        for placeholder in placeholders:
            if not re.fullmatch(r"[0-9a-fA-F]{64}", placeholder):
                raise ValueError(f"{placeholder[:80]!r} is no SHA-256: give 64 hexadecimal digits")
        return [placeholder.lower() for placeholder in placeholders]


class MediaSettings(Strict):
    """The media service."""

    workers: int = Field(
        8, ge=1, le=64, description="Photos that a process downloads at once, and uploads; of as many listings"
    )
    max_bytes: int = Field(26_214_400, ge=1_024, description="Largest photo accepted, bytes")
    max_pixels: int = Field(100_000_000, ge=1, description="Largest photo accepted, width times height")
    timeout: Duration = Field(60, gt=0, description="Seconds for one photo, from first to last byte")


class GeocoderSettings(Strict):
    """Where to look up the coordinates of listings that come without."""

    url: str | None = Field(
        None,
        description="Base URL of a server that speaks Nominatim's API, such as https://nominatim.example/; unset: none "
        "is asked. The addresses of listings without coordinates are sent to this server (without the unit) and to no "
        "other: choose one that may have them. OpenStreetMap's public one is not for bulk",
    )
    query: SecretStr | None = Field(
        None, description="Sent with every question, for servers that want a key: name=value, several joined by &"
    )
    requests_per_second: float = Field(
        1.0, gt=0, le=1_000, description="Questions a second at most, of all processes and feeds together"
    )
    user_agent: str = Field(
        "mlsync/0.1", min_length=1, description="User-Agent header; public servers want one that tells who asks"
    )
    email: str | None = Field(None, description="Address to be reached at, sent along, as public servers ask for it")
    countrycodes: str | None = Field(
        None,
        pattern=r"^[a-z]{2}(,[a-z]{2})*$",
        description="Countries to look in for listings that name none: ISO 3166-1 codes, separated by commas",
        examples=["ca,us"],
    )
    timeout: Duration = Field(10, gt=0, le=120, description="Seconds for one question, from first to last byte")

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://unset")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("give the http(s) URL that `search` stands behind")
        if "@" in parts.netloc or parts.query:
            raise ValueError("the URL must not hold credentials or a query; give a key as query")
        return url or None

    @field_validator("query")
    @classmethod
    def _pairs(cls, query: SecretStr | None) -> SecretStr | None:
        if query is not None and not parse_qsl(query.get_secret_value()):
            raise ValueError("give name=value, several joined by &")
        return query


class Settings(BaseSettings):
    """Everything. Built once, by ``load``, and passed down."""

    model_config = SettingsConfigDict(
        env_prefix="MLSYNC_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False,
        yaml_file_encoding="utf-8", nested_model_default_partial_update=True,
    )  # fmt: skip

    database_url: str = Field(
        "sqlite:///data/mlsync.db",
        description="Where rows go: sqlite:///path, or postgresql://user:password@host:port/database?sslmode=verify-full",
    )
    media_url: str = Field(
        "file:data/media",
        description="Where photos go: file:folder, or s3://bucket/prefix?endpoint=URL&region=R&style=path|virtual",
    )
    media_access_key: SecretStr | None = Field(None, description="Access key of the bucket, for s3://")
    media_secret_key: SecretStr | None = Field(None, description="Secret key of the bucket, for s3://")
    broker_url: str = Field(
        "memory:",
        description="How services talk: memory: (one process), or amqp[s]://user:password@host:5672/vhost (RabbitMQ; "
        "any number of processes); nodes of a cluster: host:5672,host:5672",
    )
    takeover: Duration = Field(
        30, ge=2, le=3_600, description="With a broker: time after which what a dead process had is another's"
    )
    grace: Duration = Field(30, gt=0, description="Time for what is in hand when told to stop; the rest is given back")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line to log")
    http_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address on which `mlsync run` serves /metrics, /healthz and /readyz; in a container 0.0.0.0",
    )
    http_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port for these; 0: any that is free (the log says which); unset: they are not served",
        examples=["9400"],
    )
    stuck_after: Duration = Field(
        3_600, gt=0, description="/healthz fails while the handling of one message takes longer than this"
    )
    media: MediaSettings = Field(default_factory=MediaSettings, description="The media service")
    geocoder: GeocoderSettings = Field(default_factory=GeocoderSettings, description="The geocoder")
    feeds: dict[str, FeedSettings] = Field(default_factory=dict, description="Feeds by name, in lower case")

    @field_validator("feeds")
    @classmethod
    def _names(cls, feeds: dict[str, FeedSettings]) -> dict[str, FeedSettings]:
        for name in feeds:
            if not FEED_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no feed name: lower-case letters, digits, - and _, first a letter, at most 32"
                )
        return feeds

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        file = settings_cls.model_config.get("yaml_file")
        return (init_settings, env_settings, YamlConfigSettingsSource(settings_cls, file))


def load(config: Path | None = None) -> Settings:
    """Settings from ``config`` (else ``MLSYNC_CONFIG``, else ``mlsync.yaml`` if it is there) and the environment.

    Raises SettingsError, which names every setting that is wrong.
    """
    named = config or (Path(os.environ["MLSYNC_CONFIG"]) if os.environ.get("MLSYNC_CONFIG") else None)
    if named is not None and not named.is_file():
        raise SettingsError(f"there is no settings file {named}; see --config and MLSYNC_CONFIG")
    file = named or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None)
    _refuse_unknown_variables()

    class FromHere(Settings):
        model_config = SettingsConfigDict(yaml_file=file)

    try:
        return FromHere()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, file))) from None
    except YAMLError as error:  # its own words may quote a password
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(
            f"{file}{where}: this is no YAML; quote values that begin with one of ! & * % @ ` or hold a colon or #"
        ) from None
    except SettingsSourceError as error:
        raise SettingsError(f"{_named(str(error))}: give it part by part, as MLSYNC_FEEDS__<NAME>__<SETTING>") from None
    except (OSError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise SettingsError(f"{file or 'the environment'} cannot be read: {type(error).__name__}") from None


def _named(message: str) -> str:
    """The variable that pydantic could not parse."""
    found = re.search(r'field "(\w+)"', message)
    return f"MLSYNC_{found[1].upper()}" if found else "the environment"


def secrets_of(settings: Settings) -> Iterator[str]:
    """Every value that must appear in no output."""
    for feed in settings.feeds.values():
        for secret in (feed.password, feed.proxy, feed.user_agent_password):
            if secret is not None:
                yield secret.get_secret_value()
    yield from _passwords(settings.database_url)
    for key in (settings.media_access_key, settings.media_secret_key):
        if key is not None:
            yield key.get_secret_value()
    broker = urlsplit(settings.broker_url)
    if broker.password:
        yield broker.password
        yield unquote(broker.password)
    if settings.geocoder.query is not None:
        yield settings.geocoder.query.get_secret_value()
        yield from (value for _, value in parse_qsl(settings.geocoder.query.get_secret_value()))


def _passwords(url: str) -> Iterator[str]:
    """The passwords in a database's address, as written and as meant; however wrong the address is."""
    before, _, query = url.partition("?")
    written = [before.partition("://")[2].rpartition("@")[0].partition(":")[2]]
    written += [value for name, _, value in (part.partition("=") for part in query.split("&")) if "password" in name]
    for password in written:
        if password:
            yield password
            yield unquote(password)


def _refuse_unknown_variables() -> None:
    known = {f"MLSYNC_{name.upper()}" for name in Settings.model_fields} | {"MLSYNC_CONFIG"}
    for name in sorted(os.environ):
        if name.startswith("MLSYNC_") and name.split("__")[0] not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"
            raise SettingsError(f"{name}: no setting has this name{hint}")


def _explain(error: ValidationError, file: Path | None) -> Iterator[str]:
    """One line per fault: the setting as in the file and as a variable, what is wrong; never the value of a secret."""
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = [str(part) for part in fault["loc"]]
        name = ".".join(path) or "settings"
        variable = "MLSYNC_" + "__".join(part for part in path if not part.isdigit()).upper()
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "no setting has this name" + _suggest(path)
        elif fault["type"] == "missing":
            message = "is needed; give it" + (f" in {file} or" if file else "") + " as the variable"
        elif fault["type"] in ("too_short", "string_too_short"):
            message = "must not be empty; give it a value"
        yield f"{name} ({variable}): {message}"


def _suggest(path: list[str]) -> str:
    fields: dict[str, Any] = (
        FeedSettings.model_fields if path[0] == "feeds" else
        MediaSettings.model_fields if path[0] == "media" else
        GeocoderSettings.model_fields if path[0] == "geocoder" else Settings.model_fields
    )  # fmt: skip
    near = difflib.get_close_matches(path[-1], fields, 1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(fields)}"
