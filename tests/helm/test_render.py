"""The chart as a real Helm renders it: valid for Kubernetes, and no pod may do more than it needs."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from shared.settings import load
from tests.helm import crds, golden
from tests.helm.chart import CHART, EXAMPLES, SERVERS, Json, Refused, example, helm, merged, named, objects, pods

OLDEST, NEWEST = "1.27", "1.37"
SERVICES = ("fetcher", "reconciler", "writer", "media", "geocoder")
EVERYTHING: Json = merged(
    SERVERS,
    {
        "feeds": {"ddf": {"username": "user", "password": "secret", "settings": {"protocol": "ddf"}}},
        "settings": {"geocoder": {"url": "http://nominatim.example:8080/"}},
        "services": {
            "reconciler": {"autoscaling": {"mode": "hpa"}},
            "writer": {"autoscaling": {"mode": "keda"}},
            "media": {"autoscaling": {"mode": "keda", "minReplicas": 0}},
            "geocoder": {"enabled": True},
        },
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "alertLabels": {"team": "data"}},
        "dashboards": {"enabled": True},
    },
)
CASES: dict[str, Json] = {name: example(name) for name in EXAMPLES} | {
    "everything": EVERYTHING,
    "demo, kept": {"demo": {"enabled": True, "volumeSize": "5Gi"}, "podMonitor": {"enabled": True}},
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[Json]]:
    return {name: objects(values) for name, values in CASES.items()}


def test_there_is_an_example_for_each_size() -> None:
    assert EXAMPLES == ["ddf", "laptop", "many-feeds", "one-feed"]


@pytest.mark.parametrize("name", CASES)
def test_lint_finds_nothing(name: str) -> None:
    found = helm("lint", "--strict", str(CHART), "--kube-version", "1.34", "--values", "-", values=CASES[name])
    assert "0 chart(s) failed" in found
    assert "[WARNING]" not in found


@pytest.mark.parametrize(
    ("name", "version"), [*((name, NEWEST) for name in CASES), ("everything", OLDEST), ("laptop", OLDEST)]
)
def test_every_object_is_one_that_kubernetes_takes(rendered: dict[str, list[Json]], name: str, version: str) -> None:
    for item in rendered[name]:
        if "keda.sh" not in item["apiVersion"] and "monitoring" not in item["apiVersion"]:
            kubernetes_validate.validate(item, version, strict=True)


def test_versions_before_the_oldest_are_refused() -> None:
    with pytest.raises(Refused, match="kubeVersion"):
        objects(SERVERS, kube="1.26.15")
    assert objects(SERVERS, kube=f"{OLDEST}.0")


@pytest.mark.parametrize("name", CASES)
def test_custom_resources_are_as_their_definitions_say(rendered: dict[str, list[Json]], name: str) -> None:
    for item in rendered[name]:
        if "keda.sh" in item["apiVersion"] or "monitoring" in item["apiVersion"]:
            crds.check(item)


def test_every_kind_of_custom_resource_is_rendered_and_an_unknown_field_in_it_refused(
    rendered: dict[str, list[Json]],
) -> None:
    found = {item["kind"]: item for item in rendered["everything"] if "." in item["apiVersion"].partition("/")[0]}
    for kind in ("ScaledObject", "TriggerAuthentication", "PodMonitor", "PrometheusRule"):
        wrong = copy.deepcopy(found[kind])
        wrong["spec"]["unheardOf"] = 1
        with pytest.raises(jsonschema.ValidationError, match="unheardOf"):
            crds.check(wrong)
    deep = copy.deepcopy(found["ScaledObject"])
    deep["spec"]["triggers"][0]["metadatas"] = {}
    with pytest.raises(jsonschema.ValidationError, match="metadatas"):
        crds.check(deep)


def test_without_definitions_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_CRDS_DIR", raising=False)
    crds._definitions.cache_clear()
    with pytest.raises(crds.NoDefinitionError, match="TEST_CRDS_DIR"):
        crds.check({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"})
    crds._definitions.cache_clear()


@pytest.mark.parametrize("name", golden.NAMES)
def test_it_renders_to_what_was_looked_at(name: str) -> None:
    kept = (golden.FOLDER / f"{name}.yaml").read_text()
    assert golden.render(name) == kept, "if this is meant: python -m tests.helm.golden"


@pytest.mark.parametrize("name", CASES)
def test_every_pod_meets_the_restricted_pod_security_standard(rendered: dict[str, list[Json]], name: str) -> None:
    found = list(pods(rendered[name]))
    assert found
    for owner, pod in found:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), owner
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all({"configMap", "emptyDir", "persistentVolumeClaim"} & volume.keys() for volume in pod["volumes"])
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert not [port for port in container.get("ports", ()) if "hostPort" in port]
            # and, beyond the standard:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, owner
            assert "memory" in container["resources"]["limits"]
        assert pod["automountServiceAccountToken"] is False


def test_each_service_has_its_probes_and_the_time_to_stop(rendered: dict[str, list[Json]]) -> None:
    for service in SERVICES:
        pod = named(rendered["everything"], "Deployment", f"trial-mlsync-{service}")["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["args"] == ["run", service]
        assert container["startupProbe"]["httpGet"]["path"] == container["livenessProbe"]["httpGet"]["path"]
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        grace = next(int(item["value"]) for item in container["env"] if item["name"] == "MLSYNC_GRACE")
        assert pod["terminationGracePeriodSeconds"] > grace
        assert grace > 120, "no longer than a page may take (read_timeout)"
        assert [item["name"] for item in pod["initContainers"]] == ["wait-for-migration"]


def test_replicas_are_left_to_who_owns_them(rendered: dict[str, list[Json]]) -> None:
    scaled = {"reconciler", "writer", "media"}
    for service in SERVICES:
        spec = named(rendered["everything"], "Deployment", f"trial-mlsync-{service}")["spec"]
        assert ("replicas" in spec) == (service not in scaled)


def test_the_scaler_counts_what_is_in_hand_and_goes_down_slowly(rendered: dict[str, list[Json]]) -> None:
    spec = named(rendered["everything"], "ScaledObject", "trial-mlsync-media")["spec"]
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["protocol"] == "http"
    assert trigger["metadata"]["excludeUnacknowledged"] == "false"
    pattern = re.compile(trigger["metadata"]["queueName"])
    queues = ("media", "media.backlog", "media.dead", "media.backlog.dead", "mlsync.delay.1000ms")
    assert [name for name in queues if pattern.search(name)] == ["media", "media.backlog"]
    assert spec["minReplicaCount"] == 0
    assert spec["fallback"]["replicas"] >= 1
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] >= 300
    assert named(rendered["everything"], "ScaledObject", "trial-mlsync-writer")["spec"]["minReplicaCount"] == 1


def _most(media: str, sessions: int) -> int:
    feed = {"username": "u", "password": "p", "settings": {"protocol": "ddf", "media": media, "sessions": sessions}}
    found = objects(SERVERS, {"feeds": {"a": feed}, "services": {"media": {"autoscaling": {"mode": "keda"}}}})
    most: int = named(found, "ScaledObject", "trial-mlsync-media")["spec"]["maxReplicaCount"]
    return most


def test_media_pods_are_never_more_than_there_are_sessions_to_fetch_with() -> None:
    assert (_most("bytes", 3), _most("bytes", 20), _most("url", 3)) == (3, 8, 8)


def test_a_drain_is_never_blocked(rendered: dict[str, list[Json]]) -> None:
    budgets = [item["spec"] for item in rendered["everything"] if item["kind"] == "PodDisruptionBudget"]
    assert len(budgets) == len(SERVICES)
    for budget in budgets:
        assert budget["maxUnavailable"] == 1
        assert "minAvailable" not in budget


def _egress(found: list[Json], service: str) -> set[int]:
    policy = named(found, "NetworkPolicy", f"trial-mlsync-{service}")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    return {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def test_services_talk_only_to_what_they_need(rendered: dict[str, list[Json]]) -> None:
    found = rendered["everything"]
    servers = {53, 5672, 5432}
    assert _egress(found, "reconciler") == _egress(found, "writer") == servers
    assert _egress(found, "geocoder") == servers | {80, 443, 8080}
    assert _egress(found, "fetcher") == _egress(found, "media") == servers | {80, 443}
    assert _egress(found, "migrate") == servers | {443}
    assert _egress(rendered["many-feeds"], "fetcher") >= {6103, 9000}


def test_every_pod_has_a_network_policy(rendered: dict[str, list[Json]]) -> None:
    for name in ("everything", "demo, kept"):
        selectors = [
            item["spec"]["podSelector"]["matchLabels"].items()
            for item in rendered[name] if item["kind"] == "NetworkPolicy"
        ]  # fmt: skip
        for item in rendered[name]:
            labels = item["metadata"].get("labels", {}) if item["kind"] == "Pod" else (
                item.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {}))  # fmt: skip
            if labels:
                assert [one for one in selectors if one <= labels.items()], item["metadata"]["name"]


def _environment(found: list[Json], container: Json) -> dict[str, str]:
    """A container's environment, with what the chart's Secrets hold; others are made up."""
    secrets = {item["metadata"]["name"]: item["stringData"] for item in found if item["kind"] == "Secret"}
    made_up = {"MLSYNC_BROKER_URL": "amqp://u:p@h/", "MLSYNC_DATABASE_URL": "postgresql://u:p@h/d"}
    env = {}
    for item in container["env"]:
        if "value" in item:
            env[item["name"]] = item["value"]
        else:
            ref = item["valueFrom"]["secretKeyRef"]
            env[item["name"]] = secrets.get(ref["name"], {}).get(ref["key"]) or made_up.get(item["name"], "made-up")
            assert ref["name"] not in secrets or ref["key"] in secrets[ref["name"]]
    return env


@pytest.mark.parametrize("name", CASES)
def test_the_settings_are_such_as_mlsync_accepts(
    rendered: dict[str, list[Json]], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = rendered[name]
    full = "trial-mlsync"
    (tmp_path / "mlsync.yaml").write_text(named(found, "ConfigMap", full)["data"]["mlsync.yaml"])
    container = named(found, "Deployment", f"{full}-fetcher")["spec"]["template"]["spec"]["containers"][0]
    for variable, value in _environment(found, container).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLSYNC_CONFIG", str(tmp_path / "mlsync.yaml"))
    settings = load(None)
    expected = set(CASES[name].get("feeds", {})) | ({"demo"} if CASES[name].get("demo", {}).get("enabled") else set())
    assert settings.feeds.keys() == expected
    assert settings.http_port == container["ports"][0]["containerPort"]
    assert settings.grace == 150


def test_passwords_may_have_any_character_and_numbers_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.parse import unquote, urlsplit

    odd = "a:b/c@d? e#f%g+h$i"
    feed = {
        "username": "u", "password": odd,
        "settings": {"protocol": "ddf", "bytes_per_hour": 10_000_000_000, "overlap": "90m"},
    }  # fmt: skip
    found = objects(
        SERVERS,
        {"rabbitmq": {"password": odd}, "postgresql": {"password": odd}, "feeds": {"a-b_c": feed},
         "settings": {"media": {"max_bytes": 50_000_000}}},
    )  # fmt: skip
    container = named(found, "Deployment", "trial-mlsync-media")["spec"]["template"]["spec"]["containers"][0]
    env = _environment(found, container)
    for name in ("MLSYNC_BROKER_URL", "MLSYNC_DATABASE_URL"):
        assert unquote(urlsplit(env[name]).password or "") == odd
    assert urlsplit(env["MLSYNC_BROKER_URL"]).path == "/%2F"
    (tmp_path / "mlsync.yaml").write_text(named(found, "ConfigMap", "trial-mlsync")["data"]["mlsync.yaml"])
    for variable, value in env.items():
        monkeypatch.setitem(os.environ, variable, value)
    monkeypatch.setenv("MLSYNC_CONFIG", str(tmp_path / "mlsync.yaml"))
    settings = load(None)
    assert settings.feeds["a-b_c"].password.get_secret_value() == odd
    assert settings.feeds["a-b_c"].bytes_per_hour == 10_000_000_000
    assert settings.media.max_bytes == 50_000_000


def test_no_secret_is_anywhere_but_in_a_secret(rendered: dict[str, list[Json]]) -> None:
    secrets = ("broker-password", "database-password", "bucket-secret")
    for item in rendered["everything"]:
        if item["kind"] != "Secret":
            assert not [secret for secret in secrets if secret in yaml.safe_dump(item)], item["metadata"]["name"]


def _mode(mode: str) -> tuple[Json, list[Json]]:
    found = objects(SERVERS, {"migration": {"mode": mode}})
    (job,) = (item for item in found if item["kind"] == "Job")
    return job, found


def test_the_migration_comes_first() -> None:
    hook, found = _mode("hook")
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    needed = {
        item["valueFrom"]["secretKeyRef"]["name"]
        for item in hook["spec"]["template"]["spec"]["containers"][0]["env"] if "valueFrom" in item
    }  # fmt: skip
    (secret,) = needed
    early = named(found, "Secret", secret)["metadata"]["annotations"]
    assert early["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert int(early["helm.sh/hook-weight"]) < int(hook["metadata"]["annotations"]["helm.sh/hook-weight"])
    argo, found = _mode("argocd")
    wave = int(argo["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
    for kind in ("Secret", "ConfigMap", "ServiceAccount"):
        before = named(found, kind, "trial-mlsync")["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
        assert int(before) < wave < 0
    assert "annotations" not in _mode("job")[0]["metadata"]
    assert _mode("job")[0]["metadata"]["name"] != objects(
        SERVERS, {"migration": {"mode": "job"}, "image": {"tag": "2"}})[-1]["metadata"]["name"]  # fmt: skip
    nobody = objects(SERVERS, {"migration": {"mode": "none"}})
    assert not [item for item in nobody if item["kind"] == "Job"]
    assert not [pod for _, pod in pods(nobody) if "initContainers" in pod]


def test_changed_settings_make_new_pods() -> None:
    def checksums(**feed: Any) -> set[str]:
        made = {"username": "u", "password": "p", "settings": {"protocol": "ddf"}} | feed
        return {
            item["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for item in objects(SERVERS, {"feeds": {"a": made}}) if item["kind"] == "Deployment"
        }  # fmt: skip

    same = checksums()
    assert len(same) == 1
    assert not checksums(password="q") & same
    assert not checksums(settings={"protocol": "ddf", "every": "5m"}) & same


def test_the_demo_has_the_servers_of_the_compose_file(rendered: dict[str, list[Json]]) -> None:
    compose = yaml.safe_load((CHART.parents[1] / "docker-compose.yml").read_text())["services"]
    for ours, theirs in (("rabbitmq", "rabbitmq"), ("postgresql", "postgres"), ("s3", "s3")):
        container = named(rendered["laptop"], "StatefulSet", f"trial-mlsync-{ours}")["spec"]["template"]["spec"]
        assert f":-{container['containers'][0]['image']}}}" in compose[theirs]["image"]


def test_the_demos_password_lasts_as_long_as_its_volumes(rendered: dict[str, list[Json]]) -> None:
    kept = named(rendered["demo, kept"], "Secret", "trial-mlsync-demo")["metadata"]
    assert kept["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "annotations" not in named(rendered["laptop"], "Secret", "trial-mlsync-demo")["metadata"]
