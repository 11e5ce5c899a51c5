"""docker-compose.yml as it is written; ``make drill`` brings it up for real."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.settings import load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MLSYNC = ("fetcher", "reconciler", "writer", "media", "geocoder")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
EXAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")
)


def _filled(text: str) -> str:
    return VARIABLE.sub(lambda found: EXAMPLE.get(found[1], found[3] if found[2] == "-" else ""), text)


def _pairs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_do_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:${") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_can_be_replaced(name: str) -> None:
    found = VARIABLE.fullmatch(SERVICES[name]["image"])
    assert found, "the image is no variable with a default"
    assert found[2] == "-"
    tag = found[3].rpartition(":")[2]
    assert tag == "local" or re.search(r"\d+[.-]\d+", tag), f"{found[3]} names no version"


@pytest.mark.parametrize("name", MLSYNC)
def test_a_service_can_be_scaled(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert "container_name" not in SERVICES[name]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate"}))
def test_everything_that_stays_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_services_begin_when_the_tables_are_there() -> None:
    for name in MLSYNC:
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    for name, waited in SERVICES["migrate"]["depends_on"].items():
        assert waited == {"condition": "service_healthy"}, name


def test_every_variable_that_must_be_given_is_in_the_example() -> None:
    needed = {name for name, kind, _ in VARIABLE.findall(TEXT) if kind != "-"}
    assert needed <= EXAMPLE.keys()


def test_every_variable_of_the_example_is_used() -> None:
    known = {name for name, *_ in VARIABLE.findall(TEXT)} | {"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"}
    assert EXAMPLE.keys() <= known


def test_there_is_no_password_in_the_file() -> None:
    given = {value for name, value in EXAMPLE.items() if "PASSWORD" in name or "SECRET" in name}
    assert given
    assert not [value for value in given if re.search(rf"\b{value}\b", TEXT)]


def test_the_settings_of_a_first_try_are_such_as_mlsync_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SERVICES["fetcher"]["environment"] | _pairs(ROOT / EXAMPLE["SETTINGS_FILE"])).items():
        monkeypatch.setenv(name, _filled(value))
    settings = load(None)
    assert list(settings.feeds) == ["trial"]
    assert settings.feeds["trial"].login_url.startswith(f"http://simulator:{SERVICES['simulator']['command'][4]}/")
    assert settings.broker_url == "amqp://mlsync:development@rabbitmq/"
    assert settings.media_url == "s3://mlsync?endpoint=http://s3:9000&region=us-east-1&style=path"


def test_services_are_asked_where_they_listen() -> None:
    port = SERVICES["fetcher"]["environment"]["MLSYNC_HTTP_PORT"]
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["dns_sd_configs"][0]["names"] == list(MLSYNC)
    assert str(scraped["dns_sd_configs"][0]["port"]) == port
    assert f":{port}/healthz" in SERVICES["fetcher"]["healthcheck"]["test"][-1]


def test_what_is_mounted_is_there() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    paths = [mount for mount in mounts if mount.startswith("./")]
    assert len(paths) == 4
    assert all((ROOT / path).is_dir() for path in paths)
    assert {mount for mount in mounts if not mount.startswith("./")} == COMPOSE["volumes"].keys()


def test_git_and_the_image_leave_secrets_out() -> None:
    assert {".env", "feeds.env"} <= set((ROOT / ".gitignore").read_text().splitlines())
    kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert not [line for line in kept if "env" in line]
