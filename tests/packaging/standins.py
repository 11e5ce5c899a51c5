"""Images that stand in for the public ones where no image registry answers (see ``standins/Dockerfile``)."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from pathlib import Path

from tests.packaging.engine import Engine

HERE = Path(__file__).with_name("standins")
IMAGES = {
    "PYTHON_IMAGE": "python", "RABBITMQ_IMAGE": "rabbitmq", "POSTGRES_IMAGE": "postgres", "S3_IMAGE": "minio",
    "PROMETHEUS_IMAGE": "prometheus", "GRAFANA_IMAGE": "grafana",
}  # fmt: skip
"""The variables of docker-compose.yml that name images, and what is built for each."""


def build(engine: Engine, folder: Path) -> dict[str, str]:
    """Build what is not there yet; the variables that name it."""
    have = engine.docker("images", "--format", "{{.Repository}}").split()
    if "mlsync-standin/debian" not in have:
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(folder / "debian")], check=True,
                       stdout=subprocess.DEVNULL, timeout=600)  # fmt: skip
        with subprocess.Popen(["tar", "-C", str(folder / "debian"), "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
            assert tar.stdout is not None
            engine.docker("import", "-", "mlsync-standin/debian", stdin=tar.stdout.fileno())
    shutil.copytree(HERE, folder / "context")
    shutil.copy(_authorities(), folder / "context" / "ca-certificates.crt")
    for name in IMAGES.values():
        engine.docker("build", "--network=host", f"--target={name}", f"--tag=mlsync-standin/{name}",
                      str(folder / "context"))  # fmt: skip
    return {variable: f"mlsync-standin/{name}" for variable, name in IMAGES.items()}


def _authorities() -> Path:
    """What this machine trusts: its package index may have an authority of its own."""
    found = os.environ.get("PIP_CERT") or ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    return Path(found)
