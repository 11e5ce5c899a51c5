"""Install the strangers, each into an environment of its own: ``python -m tests.interop.install``.

Versions and hashes are locked beside their scripts. Debian packages that this machine lacks are installed as root, as
those of the tests' servers are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.install import install as install_packages

STRANGERS = Path(__file__).with_name("strangers")
ROOT = Path(__file__).parents[2] / ".interop"
RETS, RETS_PYTHON, RETS_CLIENT = ROOT / "rets", ROOT / "rets-python", ROOT / "rets-client"
_NATIVE = "node-expat"
"""Compiled here. ``buffertools``, which npm would compile too, is optional, unused, and too old for node's headers."""


class InstallError(Exception):
    """A stranger cannot be had; the text says why."""


def main() -> int:
    """0 when all are there."""
    try:
        _packages()
        _python(RETS, "rets.txt")
        _python(RETS_PYTHON, "rets-python.txt", "building.txt")
        _node()
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _packages() -> None:
    """node, npm, a compiler and the headers of Python: rets-python and rets-client bring sources in C and C++."""
    missing = [
        package
        for package, there in {
            "nodejs": shutil.which("node"),
            "npm": shutil.which("npm"),
            "libnode-dev": _headers(),
            "g++": shutil.which("g++"),
            "make": shutil.which("make"),
            f"python{sysconfig.get_python_version()}-dev": (Path(sysconfig.get_path("include")) / "Python.h").exists(),
        }.items()
        if not there
    ]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise InstallError(f"interop needs {', '.join(missing)}: install it, or run `make interop` as root on Debian")
    print(f"Installing for interop, once: {', '.join(missing)} (Debian packages)", flush=True)
    if install_packages(missing):
        raise InstallError("interop cannot go on without them")


def _headers() -> Path | None:
    """The folder above node's own headers: without it npm would fetch them from elsewhere."""
    node = shutil.which("node")
    places = [Path("/usr"), *([Path(node).resolve().parents[1]] if node else [])]
    return next((place for place in places if (place / "include/node/node_api.h").exists()), None)


def _python(folder: Path, lock: str, building: str = "") -> None:
    locks = [STRANGERS / name for name in (building, lock) if name]
    if _is_done(folder, locks):
        return
    print(f"Setting up {folder.relative_to(ROOT.parent)} (once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    for each in locks:
        # What builds the sources is locked too, so pip must not fetch another.
        alone = ["--no-build-isolation"] if building and each.name == lock else []
        pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes", *alone]
        _run([*pip, "--requirement", str(each)])
    _note(folder, locks)


def _node() -> None:
    locks = [STRANGERS / "package.json", STRANGERS / "package-lock.json"]
    if _is_done(RETS_CLIENT, locks):
        return
    print(f"Setting up {RETS_CLIENT.relative_to(ROOT.parent)} (once)", flush=True)
    shutil.rmtree(RETS_CLIENT, ignore_errors=True)
    RETS_CLIENT.mkdir(parents=True)
    for each in locks:
        shutil.copy(each, RETS_CLIENT)
    env = {**os.environ, "npm_config_update_notifier": "false", "npm_config_nodedir": str(_headers())}
    _run(["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"], RETS_CLIENT, env)
    _run(["npm", "rebuild", _NATIVE], RETS_CLIENT, env)
    _note(RETS_CLIENT, locks)


def _run(command: Sequence[str], folder: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise InstallError(f"{' '.join(command)} failed:\n{done.stdout[-1_000:]}{done.stderr[-3_000:]}")


def _mark(locks: Sequence[Path]) -> str:
    whole = b"".join([sys.executable.encode(), *(each.read_bytes() for each in locks)])
    return hashlib.sha256(whole).hexdigest()


def _is_done(folder: Path, locks: Sequence[Path]) -> bool:
    note = folder / ".ready"
    return note.exists() and note.read_text() == _mark(locks)


def _note(folder: Path, locks: Sequence[Path]) -> None:
    (folder / ".ready").write_text(_mark(locks))


if __name__ == "__main__":
    sys.exit(main())
