"""Run the tests of the broker on RabbitMQ 4: ``python -m tests.servers.rabbitmq4 FOLDER [argument of pytest]...``.

Debian 12 has RabbitMQ 3.10. ``FOLDER`` gets a Debian 13 with RabbitMQ 4 (a minute and 500 MB, once), of which nothing
runs but the nodes that tests start. As root, on Debian; not in `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.install import POLICY, install
from tests.servers.rabbitmq import BIN, ROOT

TESTS = ["tests/contract/test_transport.py", "tests/contract/test_rabbitmq.py", "tests/pipeline/test_processes.py"]
"""What is run unless told otherwise."""


def main() -> int:
    """What pytest says; 1 when RabbitMQ 4 is not to be had, 2 when no folder is given."""
    if len(sys.argv) < 2:
        print(f"usage: python -m {__spec__.name} FOLDER [argument of pytest]...", file=sys.stderr)
        return 2
    folder, *arguments = sys.argv[1:]
    root = Path(folder).resolve()
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("RabbitMQ 4 is taken from Debian 13, in a folder only root can enter: run it as root on Debian",
              file=sys.stderr)  # fmt: skip
        return 1
    if not _inside(root, BIN / "rabbitmq-server").exists():
        try:
            _make(root)
        except subprocess.CalledProcessError as error:
            print(f"{error.cmd[0]} failed; delete {root} before another try: {error.stderr.strip()[-2_000:]}",
                  file=sys.stderr)  # fmt: skip
            return 1
    version = _run("chroot", str(root), "dpkg-query", "--show", "--showformat=${Version}", "rabbitmq-server")
    print(f"RabbitMQ {version} of {root}", flush=True)
    command = [sys.executable, "-m", "pytest", *(arguments or TESTS)]
    env = {name: value for name, value in os.environ.items() if name != "TEST_AMQP_URL"}
    return subprocess.run(command, env=env | {ROOT: str(root)}, check=False).returncode


def _make(root: Path) -> None:
    """A Debian 13 in ``root``, with RabbitMQ and the names and servers this machine knows."""
    if not shutil.which("debootstrap") and install(["debootstrap"]):
        sys.exit(1)
    print(f"Making a Debian 13 with RabbitMQ 4 in {root}, once", flush=True)
    _run("debootstrap", "--variant=minbase", "trixie", str(root))
    for name in (Path("/etc/resolv.conf"), Path("/etc/hosts")):
        shutil.copyfile(name, _inside(root, name))
    policy = _inside(root, POLICY)
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "rabbitmq-server"]):
        _run("chroot", str(root), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments)


def _inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
