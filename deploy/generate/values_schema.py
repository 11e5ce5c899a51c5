"""Writes deploy/helm/values.schema.json: ``python -m deploy.generate.values_schema``.

Types come from the defaults in values.yaml, texts from their comments, the names of settings from the settings
themselves. What neither says is in ``RULES``. No object takes a name that is not known, but those that are the user's
or Kubernetes's own.
"""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from deploy.generate.values import default_values, documented
from shared.settings import Described, Duration, FeedSettings, GeocoderSettings, MediaSettings, Override, Settings

Schema = dict[str, Any]

BY_THE_CHART = {
    "database_url", "media_url", "media_access_key", "media_secret_key", "broker_url", "http_host", "http_port",
    "grace", "feeds",
}  # fmt: skip
"""Settings that other values stand for."""
SECRET = {"username", "password", "proxy", "query", "user_agent_password"}
"""Settings that belong into a Secret."""

TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
ANY: Schema = {"type": "object"}
LIST: Schema = {"type": "array", "items": {"type": "object"}}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
PORTS: Schema = {"type": "array", "items": PORT}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
QUANTITIES: Schema = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^[0-9.]+[a-zA-Z]*$"}]},
}
RESOURCES: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"requests": QUANTITIES, "limits": QUANTITIES},
}
NAME_OR_EMPTY: Schema = {"type": "string", "pattern": r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$"}
DURATION: Schema = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[smhd]?\s*$"}]
}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


RULES: dict[str, Schema] = {
    "commonLabels": TEXTS,
    "image.repository": {"type": "string", "minLength": 1},
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": _one_of("Always", "IfNotPresent", "Never"),
    "imagePullSecrets": LIST,
    "graceSeconds": {"type": "integer", "minimum": 10, "maximum": 3600},
    "geocoder.existingSecret": NAME_OR_EMPTY,
    "rabbitmq.existingSecret": NAME_OR_EMPTY,
    "rabbitmq.port": PORT,
    "rabbitmq.management.port": PORT,
    "postgresql.existingSecret": NAME_OR_EMPTY,
    "postgresql.port": PORT,
    "postgresql.sslmode": _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "s3.existingSecret": NAME_OR_EMPTY,
    "s3.endpoint": {"type": "string", "pattern": "^https?://[^/@?]+/?$"},
    "s3.bucket": {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"},
    "s3.style": _one_of("path", "virtual"),
    "migration.mode": _one_of("hook", "argocd", "job", "none"),
    "migration.backoffLimit": COUNT,
    "migration.timeoutSeconds": POSITIVE,
    "migration.ttlSeconds": COUNT,
    "migration.resources": RESOURCES,
    "autoscaling.mode": _one_of("none", "hpa", "keda"),
    "autoscaling.minReplicas": COUNT,
    "autoscaling.maxReplicas": POSITIVE,
    "autoscaling.hpa.targetCPUUtilizationPercentage": POSITIVE,
    "autoscaling.keda.messagesPerReplica": POSITIVE,
    "autoscaling.keda.activationMessages": COUNT,
    "autoscaling.keda.pollingInterval": POSITIVE,
    "autoscaling.keda.cooldownPeriod": COUNT,
    "autoscaling.keda.fallbackReplicas": POSITIVE,
    "autoscaling.scaleUp.pods": POSITIVE,
    "autoscaling.scaleUp.periodSeconds": {"type": "integer", "minimum": 1, "maximum": 1800},
    "autoscaling.scaleDown.pods": POSITIVE,
    "autoscaling.scaleDown.periodSeconds": {"type": "integer", "minimum": 1, "maximum": 1800},
    "autoscaling.scaleDown.stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
    "replicas": COUNT,
    "podDisruptionBudget.maxUnavailable": {"anyOf": [POSITIVE, {"type": "string", "pattern": "^[1-9][0-9]?%$|^100%$"}]},
    "resources": RESOURCES,
    "probes.startup": ANY,
    "probes.liveness": ANY,
    "probes.readiness": ANY,
    "strategy": ANY,
    "nodeSelector": TEXTS,
    "affinity": ANY,
    "tolerations": LIST,
    "podAnnotations": TEXTS,
    "podLabels": TEXTS,
    "extraEnv": LIST,
    "extraEnvFrom": LIST,
    "extraVolumes": LIST,
    "extraVolumeMounts": LIST,
    "serviceAccount.annotations": TEXTS,
    "networkPolicy.metricsFrom": LIST,
    "networkPolicy.rabbitmqTo": LIST,
    "networkPolicy.postgresqlTo": LIST,
    "networkPolicy.s3To": LIST,
    "networkPolicy.mlsPorts": PORTS,
    "networkPolicy.geocoderPorts": PORTS,
    "networkPolicy.extraEgress": LIST,
    "podMonitor.labels": TEXTS,
    "podMonitor.interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "podMonitor.scrapeTimeout": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "prometheusRule.labels": TEXTS,
    "prometheusRule.alertLabels": TEXTS,
    "prometheusRule.disabled": {"type": "array", "items": {"type": "string"}},
    "prometheusRule.runbookUrl": {"type": "string", "pattern": "^(https?://.+)?$"},
    "prometheusRule.grafanaUrl": {"type": "string", "pattern": "^(https?://.+)?$"},
    "dashboards.labels": TEXTS,
    "dashboards.annotations": TEXTS,
    "demo.listings": POSITIVE,
    "demo.every": DURATION,
    "demo.volumeSize": {"type": "string", "pattern": "^([0-9.]+[a-zA-Z]*)?$"},
    "demo.resources": RESOURCES,
    "test.timeoutSeconds": POSITIVE,
}


def render() -> str:
    """The schema as it is in the file."""
    values = default_values()
    special = {"feeds": _feeds(), "settings": _settings(), "defaults": _defaults(), "services": _services()}
    properties = {name: special.get(name) or _value((name,), value) for name, value in values.items()}
    properties["global"] = ANY  # Helm gives it to every chart that is part of another
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the mlsync chart",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "definitions": {"service": _service()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _value(path: tuple[str, ...], default: Any, under: tuple[str, ...] = ()) -> Schema:
    about = {value.path: value.about for value in documented()}.get((*under, *path))
    told = {"description": about} if about else {}
    name = ".".join(path)
    if name in RULES:
        return told | RULES[name]
    match default:
        case dict():
            return told | {
                "type": "object",
                "additionalProperties": False,
                "properties": {key: _value((*path, key), value, under) for key, value in default.items()},
            }
        case bool():
            return told | {"type": "boolean"}
        case str():
            return told | {"type": "string"}
    raise TypeError(f"{name}: no rule says what it may be")


def _service() -> Schema:
    defaults = default_values()["defaults"]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _value((name,), value, ("defaults",)) for name, value in defaults.items()},
    }


def _scaling(**properties: Schema) -> Schema:
    return {"properties": {"autoscaling": {"properties": properties}}}


def _defaults() -> Schema:
    return {"allOf": [{"$ref": "#/definitions/service"}, _scaling(minReplicas=POSITIVE)]}


def _services() -> Schema:
    only: dict[str, list[Schema]] = {name: [_scaling(minReplicas=POSITIVE)] for name in default_values()["services"]}
    only["fetcher"] = [_scaling(mode={"enum": ["none"]})]
    only["media"] = []
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"allOf": [{"$ref": "#/definitions/service"}, *rules]} for name, rules in only.items()},
    }


def _feeds() -> Schema:
    secret: Schema = {"type": "string", "minLength": 1}
    feed = {
        "type": "object",
        "additionalProperties": False,
        "required": ["settings"],
        "properties": {
            "existingSecret": NAME_OR_EMPTY,
            "usernameKey": secret,
            "passwordKey": secret,
            "proxyKey": secret,
            "username": secret,
            "password": secret,
            "settings": _model(FeedSettings, SECRET),
        },
        "dependencies": {"proxyKey": ["existingSecret"]},
    }
    return {
        "type": "object",
        "description": next(value.about for value in documented() if value.name == "feeds"),
        "additionalProperties": False,
        "patternProperties": {"^[a-z][a-z0-9-]*(_[a-z0-9-]+)*$": feed},
        "propertyNames": {"maxLength": 32},
    }


def _settings() -> Schema:
    schema = _model(Settings, BY_THE_CHART | {"media", "geocoder"})
    schema["properties"] |= {"media": _model(MediaSettings, set()), "geocoder": _model(GeocoderSettings, SECRET)}
    return schema


def _model(model: type[BaseModel], left_out: set[str]) -> Schema:
    """The schema of settings, with durations and lists as a settings file may have them."""
    whole = model.model_json_schema()
    hints = get_type_hints(model, include_extras=True)
    properties: Schema = {}
    for name, schema in whole["properties"].items():
        if name in left_out:
            continue
        kept = {key: value for key, value in schema.items() if key not in ("title", "default", "examples", "format")}
        if Duration in (hints[name], *get_args(hints[name])):
            kept = {"description": schema["description"]} | DURATION
        elif kept.get("type") == "array" and name in ("resources", "auth_hosts", "private_hosts", "classes"):
            kept = {"description": schema["description"], "anyOf": [{"type": "string"}, {
                "type": "array", "items": kept["items"]}]}  # fmt: skip
        elif name == "overrides":
            kept = {
                "description": schema["description"],
                "type": "object",
                "propertyNames": _one_of(*get_args(Described)),
                "additionalProperties": _model(Override, set()),
            }
        properties[name] = kept
    needed = [name for name in whole.get("required", ()) if name not in left_out]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": needed} if needed else {}),
        "properties": properties,
    }


if __name__ == "__main__":
    print(render(), end="")
