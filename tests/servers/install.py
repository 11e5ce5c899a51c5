"""Install what the tests' own servers need and this machine lacks: ``python -m tests.servers.install``.

RabbitMQ comes from Debian's package, as root, and so does promtool. Nothing is left running or enabled: a package's
service is kept from starting, the tests start servers of their own. With ``TEST_AMQP_URL`` set RabbitMQ is not
installed. Helm comes from a wheel (``tests.servers.helm``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers import helm
from tests.servers.rabbitmq import BIN

PACKAGES = {
    "rabbitmq-server": ("TEST_AMQP_URL", BIN / "rabbitmq-server"),
    "prometheus": ("", Path(shutil.which("promtool") or "/usr/bin/promtool")),
}
"""Of each the variable that names a server to use instead, if it is one, and a program it brings."""
POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program whether a service may be started by its package; 101 says no."""


def main() -> int:
    """0 when every server is to be had."""
    missing = [
        package
        for package, (variable, program) in PACKAGES.items()
        if not (variable and os.environ.get(variable)) and not program.exists()
    ]
    if not missing:
        return helm.fetch()
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        variables = [PACKAGES[package][0] for package in missing if PACKAGES[package][0]]
        named = "".join(f", or set {variable} to a server of yours" for variable in variables)
        print(f"the tests need {', '.join(missing)}: install it, run `make test` as root on Debian{named}",
              file=sys.stderr)  # fmt: skip
        return 1
    print(f"Installing for the tests, once: {', '.join(missing)} (Debian packages; no service is started)", flush=True)
    return max(install(missing), helm.fetch())


def install(packages: Sequence[str]) -> int:
    """Install Debian packages without starting a service; 0 when they are there."""
    guarded = POLICY.exists()
    if not guarded:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        return max(
            _apt("update"),
            _apt("install", "--yes", "--no-install-recommends", *packages),
        )
    finally:
        if not guarded:
            POLICY.unlink()


def _apt(*arguments: str) -> int:
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()[-2_000:]}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
