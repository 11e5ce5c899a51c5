"""What can be configured, and how the person who got it wrong is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared.settings import FeedSettings, GeocoderSettings, MediaSettings, Settings, SettingsError, load, secrets_of

SECRET = "hunter2-is-secret"
FILE = f"""
feeds:
  crea:
    protocol: ddf
    username: someone
    password: {SECRET}
    every: 15m
"""


def write(text: str, name: str = "mlsync.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def by_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MLSYNC_{name}", value)


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        load()
    return str(caught.value)


# --- lists


@pytest.mark.parametrize(
    "given", ["property,member,office", " property , member ,office,", '["property","member","office"]']
)
def test_a_list_may_be_given_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__RESOURCES=given, FEEDS__CREA__AUTH_HOSTS=given)
    feed = load().feeds["crea"]
    assert feed.resources == feed.auth_hosts == ["property", "member", "office"]


def test_a_list_in_the_file_may_be_a_list_or_words_with_commas() -> None:
    for given in ("[property, office]", "property,office"):
        write(FILE + f"    resources: {given}\n    private_hosts: {given}\n")
        feed = load().feeds["crea"]
        assert feed.resources == feed.private_hosts == ["property", "office"]


def test_listings_alone_are_read_unless_more_is_asked_for() -> None:
    write(FILE)
    feed = load().feeds["crea"]
    assert (feed.resources, feed.auth_hosts, feed.private_hosts) == (["property"], [], [])


@pytest.mark.parametrize("given", ["member", "member,property", "property,property", "", "office,member"])
def test_listings_come_first_and_nothing_comes_twice(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__RESOURCES=given)
    assert complaint() == (
        "feeds.crea.resources (MLSYNC_FEEDS__CREA__RESOURCES): "
        "give property first, then member, office or both, each once"
    )


def test_a_resource_there_is_none_of_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__RESOURCES="property,agents")
    assert complaint() == (
        "feeds.crea.resources.1 (MLSYNC_FEEDS__CREA__RESOURCES): Input should be 'property', 'member' or 'office'"
    )


def test_a_broken_json_list_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__AUTH_HOSTS='["a"')
    assert "FEEDS__CREA__AUTH_HOSTS): give names separated by commas" in complaint()


# --- sources


def test_with_neither_file_nor_environment_there_is_no_feed_and_all_is_embedded() -> None:
    settings = load()
    assert settings.feeds == {}
    assert settings.database_url == "sqlite:///data/mlsync.db"
    assert settings.media_url == "file:data/media"
    assert settings.broker_url == "memory:"


def test_the_file_in_the_working_folder_is_read() -> None:
    write(FILE)
    feed = load().feeds["crea"]
    assert (feed.username, feed.every, feed.password.get_secret_value()) == ("someone", 900, SECRET)


def test_the_environment_wins_over_the_file_and_merges_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE + "database_url: sqlite:///from-file.db\nlog_level: debug\n")
    by_environment(monkeypatch, DATABASE_URL="sqlite:///other.db", FEEDS__CREA__USERNAME="other")
    settings = load()
    assert (settings.database_url, settings.log_level) == ("sqlite:///other.db", "debug")
    feed = settings.feeds["crea"]
    assert (feed.username, feed.every, feed.password.get_secret_value()) == ("other", 900, SECRET)


def test_the_environment_may_add_a_feed_to_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__TWO__PROTOCOL="ddf", FEEDS__TWO__USERNAME="u", FEEDS__TWO__PASSWORD="p")
    assert set(load().feeds) == {"crea", "two"}


def test_a_feed_can_be_given_by_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(
        monkeypatch, FEEDS__CREA__PROTOCOL="ddf", FEEDS__CREA__USERNAME="u", FEEDS__CREA__PASSWORD=SECRET,
        FEEDS__CREA__LOGIN_URL="sample", FEEDS__CREA__SESSIONS="2", FEEDS__CREA__EVERY="1h",
    )  # fmt: skip
    feed = load().feeds["crea"]
    assert (feed.login_url, feed.sessions, feed.every) == ("sample", 2, 3_600)


def test_part_of_a_section_leaves_the_rest_of_it_at_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    write("media:\n  workers: 3\n")
    by_environment(monkeypatch, MEDIA__TIMEOUT="2m")
    assert load().media == MediaSettings(workers=3, timeout=120)


def test_another_file_can_be_named_by_argument_or_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    write("log_level: debug\n", "one.yaml")
    write("log_level: error\n", "two.yaml")
    write("log_level: warning\n")
    by_environment(monkeypatch, CONFIG="one.yaml")
    assert load().log_level == "debug"
    assert load(Path("two.yaml")).log_level == "error"


def test_an_empty_file_is_no_settings_at_all() -> None:
    write("# nothing yet\n")
    assert load().model_dump() == Settings().model_dump()


def test_settings_cannot_be_changed_once_made() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.log_level = "debug"  # type: ignore[misc]


# --- durations


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5_400), ("7d", 604_800), (" 2 m ", 120)]
)
def test_durations_have_units_or_are_seconds(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    by_environment(monkeypatch, MEDIA__TIMEOUT=text)
    assert load().media.timeout == seconds


@pytest.mark.parametrize("text", ["soon", "-5s", "5 weeks", "", "1h30m", "nan"])
def test_what_is_no_duration_is_refused_with_examples(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    by_environment(monkeypatch, MEDIA__TIMEOUT=text)
    assert complaint() == "media.timeout (MLSYNC_MEDIA__TIMEOUT): give a duration such as 90, 90s, 15m, 1h or 7d"


# --- hours and budgets


def test_hours_and_budgets_are_read_from_the_file_as_they_are_written_there() -> None:
    write(FILE + "    hours: 09:00-03:00 America/Toronto\n    quiet_hours: 03:30-04:00\n    requests_per_second: 0.5\n")
    feed = load().feeds["crea"]
    assert (feed.hours, feed.quiet_hours) == ("09:00-03:00 America/Toronto", "03:30-04:00")
    assert (feed.requests_per_second, feed.requests_per_hour, feed.requests_per_day) == (0.5, None, None)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HOURS", "nine to five", "give hours such as 09:00-03:00 America/Toronto"),
        ("QUIET_HOURS", "23:00-03:00 Toronto", "Toronto is no time zone; give one such as America/Toronto"),
        ("QUIET_HOURS", "00:00-24:00", "these are all hours of the day"),
        ("REQUESTS_PER_SECOND", "0", "greater than or equal to 0.01"),
        ("REQUESTS_PER_HOUR", "9", "greater than or equal to 10"),
    ],
)
def test_what_leaves_no_room_to_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    write(FILE)
    by_environment(monkeypatch, **{f"FEEDS__CREA__{name}": value})
    text = complaint()
    assert f"MLSYNC_FEEDS__CREA__{name}" in text
    assert words in text


# --- strategies


def test_a_feed_goes_by_the_preferred_strategy_with_an_inventory_each_sync_unless_told_otherwise() -> None:
    write(FILE)
    feed = load().feeds["crea"]
    assert (feed.strategy, feed.overlap, feed.inventory_every) == ("preferred", 3_600, None)


def test_the_incremental_strategy_has_an_overlap_and_may_take_inventories_less_often() -> None:
    write(FILE + "    strategy: incremental\n    overlap: 3d\n    inventory_every: 1d\n")
    feed = load().feeds["crea"]
    assert (feed.strategy, feed.overlap, feed.inventory_every) == ("incremental", 259_200, 86_400)


@pytest.mark.parametrize("value", ["25h", "2d", "86401"])
def test_inventories_less_often_than_daily_are_refused(value: str) -> None:
    write(FILE + f"    strategy: incremental\n    inventory_every: {value}\n")
    assert complaint() == (
        "feeds.crea.inventory_every (MLSYNC_FEEDS__CREA__INVENTORY_EVERY): lists of changes tell of no removal: "
        "a master list is needed at least daily; give 1d or less"
    )


@pytest.mark.parametrize("value", ["30s", "8d", "often"])
def test_an_overlap_that_is_none_or_longer_than_a_mark_is_good_for_is_refused(value: str) -> None:
    write(FILE + f"    overlap: {value}\n")
    assert complaint().startswith("feeds.crea.overlap (MLSYNC_FEEDS__CREA__OVERLAP): ")


# --- errors


@pytest.mark.parametrize("name", ["CREA", "Crea", "1crea", "crea.ca", "x" * 33, "../crea"])
def test_feed_names_are_lower_case_and_plain(name: str) -> None:
    write(FILE.replace("crea", f'"{name}"'))
    text = complaint()
    assert text.startswith("feeds (MLSYNC_FEEDS): ")
    assert "lower-case" in text


def test_every_setting_that_is_wrong_has_a_line_of_its_own() -> None:
    write(FILE.replace("ddf", "reso") + "log_level: loud\nmedia:\n  workers: 0\n")
    lines = complaint().splitlines()
    assert {line.partition(" ")[0] for line in lines} == {"feeds.crea.protocol", "log_level", "media.workers"}
    assert all("(MLSYNC_" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("databse_url: x\n", "databse_url (MLSYNC_DATABSE_URL): no setting has this name; did you mean database_url?"),
        (
            "media:\n  wokers: 1\n",
            "media.wokers (MLSYNC_MEDIA__WOKERS): no setting has this name; did you mean workers?",
        ),
        (
            FILE.replace("username", "usrname"),
            "feeds.crea.usrname (MLSYNC_FEEDS__CREA__USRNAME): no setting has this name; did you mean username?",
        ),
    ],
)
def test_unknown_names_in_the_file_are_refused_with_a_suggestion(text: str, hint: str) -> None:
    write(text)
    assert hint in complaint().splitlines()


def test_an_unknown_variable_is_refused_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(monkeypatch, DATABSE_URL="sqlite:///x.db")
    assert complaint() == "MLSYNC_DATABSE_URL: no setting has this name; did you mean MLSYNC_DATABASE_URL?"


def test_an_unknown_variable_of_a_feed_is_refused_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__PASWORD=SECRET)
    text = complaint()
    assert "did you mean password?" in text
    assert SECRET not in text


def test_a_missing_setting_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(monkeypatch, FEEDS__CREA__PROTOCOL="ddf", FEEDS__CREA__USERNAME="u")
    assert complaint() == "feeds.crea.password (MLSYNC_FEEDS__CREA__PASSWORD): is needed; give it as the variable"


def test_a_named_file_that_is_not_there_is_named_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(monkeypatch, CONFIG="missing.yaml")
    assert complaint() == "there is no settings file missing.yaml; see --config and MLSYNC_CONFIG"


@pytest.mark.parametrize(
    "content", [b"feeds: [", b"a: b: c", b"\xff\xfe", b"- just\n- a list\n", b"only words", b"\t- x: 1", b"3"],
    ids=["cut", "nested", "no UTF-8", "list", "words", "tab", "number"],
)  # fmt: skip
def test_a_file_that_is_no_settings_file_is_named(content: bytes) -> None:
    Path("mlsync.yaml").write_bytes(content)
    assert "mlsync.yaml" in complaint()


# --- secrets


def test_a_secret_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    settings = load()
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_proxys_credentials_are_in_no_repr() -> None:
    write(FILE + f"    proxy: http://me:{SECRET}2@proxy.example:3128\n")
    settings = load()
    proxy = settings.feeds["crea"].proxy
    assert proxy is not None
    assert proxy.get_secret_value() == f"http://me:{SECRET}2@proxy.example:3128"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "text",
    [
        FILE.replace(SECRET, f"[{SECRET}]"),
        FILE.replace(SECRET, f"{{{SECRET}: 1}}"),
        FILE.replace(SECRET, f'"{SECRET}'),
        FILE.replace(SECRET, f"{SECRET}: x"),
        FILE.replace("protocol: ddf", "protocol: other"),
        FILE.replace("password:", "pasword:"),
        FILE.replace("    password", "  password"),
        SECRET,
        f"feeds: {SECRET}",
        f"feeds:\n  crea: {SECRET}",
    ],
    ids=["list", "mapping", "open quote", "colon", "other fault", "misspelt", "outdented", "bare", "feeds", "feed"],
)
def test_a_secret_is_in_no_error_about_the_file(text: str) -> None:
    write(text)
    assert SECRET not in complaint()


@pytest.mark.parametrize("variable", ["FEEDS", "FEEDS__CREA", "FEEDS__CREA__PASSWORD__X", "MEDIA"])
def test_a_secret_is_in_no_error_about_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    by_environment(monkeypatch, **{variable: f'{{"password": "{SECRET}"'})
    assert SECRET not in complaint()


def test_an_error_is_not_chained_to_one_that_shows_what_was_given() -> None:
    write(FILE.replace(SECRET, f"[{SECRET}]"))
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.__suppress_context__


# --- the geocoder


def test_no_geocoder_is_asked_unless_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().geocoder.url is None
    by_environment(monkeypatch, GEOCODER__URL="")
    assert load().geocoder.url is None


def test_a_geocoders_key_is_a_secret_in_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(monkeypatch, GEOCODER__URL="https://geo.example/", GEOCODER__QUERY=f"key={SECRET}%21&who=me-it-is")
    settings = load()
    assert set(secrets_of(settings)) == {f"key={SECRET}%21&who=me-it-is", f"{SECRET}!", "me-it-is"}
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "url",
    ["geo.example", "ftp://geo.example/", "https://", f"https://me:{SECRET}@geo.example", f"http://g/?key={SECRET}"],
)
def test_what_is_no_base_of_an_api_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    by_environment(monkeypatch, GEOCODER__URL=url)
    text = complaint()
    assert text.startswith("geocoder.url (MLSYNC_GEOCODER__URL): ")
    assert SECRET not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("QUERY", SECRET), ("REQUESTS_PER_SECOND", "0"), ("COUNTRYCODES", "Canada"), ("COUNTRYCODES", "ca, us"),
     ("TIMEOUT", "1h"), ("USER_AGENT", "")],
)  # fmt: skip
def test_what_a_geocoder_cannot_be_asked_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    by_environment(monkeypatch, **{f"GEOCODER__{name}": value})
    text = complaint()
    assert text.startswith(f"geocoder.{name.lower()} (MLSYNC_GEOCODER__{name}): ")
    assert SECRET not in text


def test_a_misspelt_setting_of_the_geocoder_is_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    by_environment(monkeypatch, GEOCODER__USERAGENT="x")
    assert "did you mean user_agent?" in complaint()


# --- values


def test_placeholders_are_hashes_in_any_case() -> None:
    write(FILE + f"    placeholders: ['{'AB' * 32}']\n")
    assert load().feeds["crea"].placeholders == ["ab" * 32]


@pytest.mark.parametrize("value", ["abc", "g" * 64, "a" * 65])
def test_what_is_no_hash_is_no_placeholder(value: str) -> None:
    write(FILE + f"    placeholders: ['{value}']\n")
    assert "give 64 hexadecimal digits" in complaint()


# --- descriptions


@pytest.mark.parametrize("model", [Settings, FeedSettings, MediaSettings, GeocoderSettings])
def test_every_field_is_described(model: type[BaseModel]) -> None:
    undescribed = [name for name, field in model.model_fields.items() if not field.description]
    assert undescribed == []


def test_no_credential_is_shipped() -> None:
    assert FeedSettings.model_fields["username"].is_required()
    assert FeedSettings.model_fields["password"].is_required()


# --- history


def test_a_field_that_no_record_has_cannot_be_left_out_of_history(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__HISTORY_EXCLUDE='["list_price", "list_prise"]')
    said = complaint()
    assert "MLSYNC_FEEDS__CREA__HISTORY_EXCLUDE" in said
    assert "list_prise; did you mean list_price?" in said


def test_history_may_leave_out_columns_parts_photos_or_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    write(FILE)
    for names in ('["*"]', "[]", '["list_price", "property_room", "media", "member_full_name"]'):
        by_environment(monkeypatch, FEEDS__CREA__HISTORY_EXCLUDE=names)
        assert load().feeds["crea"].history_exclude == json.loads(names)


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_history_is_kept_for_whole_days(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    write(FILE)
    by_environment(monkeypatch, FEEDS__CREA__HISTORY_DAYS=days)
    assert "MLSYNC_FEEDS__CREA__HISTORY_DAYS" in complaint()


RETS = {"protocol": "rets", "login_url": "http://rets.example/login", "username": "someone", "password": SECRET}


def test_types_of_object_to_keep_beside_photos() -> None:
    feed = FeedSettings.model_validate({**RETS, "overrides": {"property": {"objects": "Plat, Audio"}}})
    assert feed.overrides["property"].all_objects == ["Plat", "Audio"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"property": {"objects": ["Plat"], "object_links": ["Plat"]}}, "Plat is there twice"),
        ({"open_house": {"objects": ["Plat"]}}, "objects are kept of property, member and office"),
    ],
)
def test_objects_that_cannot_be_kept(overrides: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FeedSettings.model_validate({**RETS, "overrides": overrides})
