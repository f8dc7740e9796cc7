"""The campaign on disk: one SQLite file that only the coordinator writes, and a lock that says whether there is one.

A transaction is whole or not at all, whoever is killed. Nothing in the file is a time of day: who holds the lock is
alive, and seconds are those that the campaign has run. Anybody may read while it runs.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from json import JSONDecodeError
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..terminal.exits import Refusal
from ..terminal.printable import one_line
from ..traces.store import check_writable
from .cells import MAY_COMPLETE, CampaignOptions

VERSION = 2
"""Of the tables, and of what a shard does: a store of another version is never touched."""
FILE = "campaign.sqlite"
NEW = "campaign.new"
"""What a campaign is made in, before it has its name: whoever is killed meanwhile leaves no campaign."""
LOCK = "campaign.lock"
FINDINGS = "findings"
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, JSONDecodeError)
"""What reading a damaged row comes to."""
_FACTS: dict[str, type | tuple[type, ...]] = {"options": str, "code": str, "seconds": (int, float)}
"""What every campaign says of itself."""
_APPLICATION = 0x534D4350  # "SMCP": tells our files from other SQLite files
_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE cells (
    cell INTEGER PRIMARY KEY, label TEXT NOT NULL, family TEXT NOT NULL,
    next INTEGER NOT NULL,               -- the shard that is given out next
    last INTEGER,                        -- how many shards there are in all parts; NULL: no end
    open INTEGER NOT NULL,               -- whether more than the first shard may be given out
    triaged INTEGER NOT NULL,            -- failures of shards before this one were looked at
    complete INTEGER NOT NULL DEFAULT 0  -- every behaviour was seen
);
CREATE TABLE shards (
    cell INTEGER NOT NULL, number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('leased', 'waiting', 'done', 'quarantined')),
    kills INTEGER NOT NULL DEFAULT 0, since REAL NOT NULL,
    schedules INTEGER NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0, failing INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (cell, number)
) WITHOUT ROWID;
CREATE INDEX unfinished ON shards (state) WHERE state IN ('leased', 'waiting');
CREATE TABLE reports (
    cell INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, outcome TEXT NOT NULL, signature TEXT NOT NULL,
    count INTEGER NOT NULL, at INTEGER NOT NULL, schedule BLOB NOT NULL, PRIMARY KEY (cell, number, key)
) WITHOUT ROWID;
CREATE TABLE failures (
    failure INTEGER PRIMARY KEY, part INTEGER NOT NULL, cell INTEGER NOT NULL, key TEXT NOT NULL,
    outcome TEXT NOT NULL, signature TEXT NOT NULL,
    count INTEGER NOT NULL, number INTEGER NOT NULL, seed INTEGER NOT NULL, at INTEGER NOT NULL,
    schedule BLOB NOT NULL, token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('leased', 'waiting', 'done', 'quarantined')),
    kills INTEGER NOT NULL DEFAULT 0, since REAL NOT NULL DEFAULT 0, exact TEXT, reason TEXT NOT NULL DEFAULT '',
    UNIQUE (cell, key, part)
);
CREATE TABLE findings (
    exact TEXT PRIMARY KEY, family TEXT NOT NULL, oracle TEXT NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL,
    outcome TEXT NOT NULL, message TEXT NOT NULL, params TEXT NOT NULL,
    steps INTEGER NOT NULL, switches INTEGER NOT NULL, file TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE coverage (
    family TEXT NOT NULL, key TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (family, key)
) WITHOUT ROWID;
CREATE TABLE samples (
    seconds REAL PRIMARY KEY, schedules INTEGER NOT NULL, pairs INTEGER NOT NULL, findings INTEGER NOT NULL,
    memory INTEGER NOT NULL
);
"""


class CampaignStore:
    """An open store. `writes` is a transaction; every sqlite3 error becomes a Refusal of one line."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: int | None = None) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = lock
        self._identity = _identity(folder / FILE)
        connection.row_factory = sqlite3.Row

    @contextmanager
    def writes(self) -> Iterator[None]:
        """A transaction: all that is written inside, or nothing; Refusal if the file is no longer where it was."""
        self._check_place()
        with self._refused("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has ended the transaction already
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, sql: str, *values: object) -> sqlite3.Cursor:
        """One statement."""
        with self._refused("use"):
            return self._connection.execute(sql, values)

    @contextmanager
    def _refused(self, verb: str) -> Iterator[None]:
        try:
            with _refused(self.folder, verb):
                yield
        except Refusal:
            self._check_place()  # SQLite opens its log late, by name, and then blames the disk
            raise

    def _check_place(self) -> None:
        if self._lock is not None and _identity(self.folder / FILE) != self._identity:
            raise Refusal(
                f"campaign {self.folder}: it was moved or deleted while it ran; what it has booked is where it is now"
            )

    def run_all(self, sql: str, rows: Iterator[tuple[object, ...]]) -> None:
        """One statement for many rows."""
        with self._refused("use"):
            self._connection.executemany(sql, rows)

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row, None if there is none."""
        with self._refused("use"):
            row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def fact(self, name: str) -> Any:
        """A single value that the campaign keeps, None if it has none of that name."""
        return self.one("SELECT value FROM facts WHERE name = ?", name)

    def set_fact(self, name: str, value: object) -> None:
        """Keep a single value."""
        self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    @property
    def is_running(self) -> bool:
        """Whether a coordinator is at work on it, this process or another."""
        return self._lock is not None or running(self.folder)

    @property
    def options(self) -> CampaignOptions:
        """What the campaign is; Refusal if that cannot be read any more."""
        try:
            return CampaignOptions.unpack(self.fact("options"))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _damaged(self.folder, "its options cannot be read") from None

    @property
    def resumption(self) -> str:
        """The command that goes on with it."""
        return f"stopmarker campaign resume {shlex.quote(str(self.folder))}"

    def close(self) -> None:
        """Close, and let others have it."""
        with suppress(sqlite3.Error):
            self._connection.close()
        if self._lock is not None:
            os.close(self._lock)

    def __enter__(self) -> CampaignStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Also what is found out only when a row is read, or understood, is one line."""
        self.close()
        if isinstance(error, _UNREADABLE):
            raise _damaged(self.folder, str(error)) from None


def create(
    folder: Path,
    options: CampaignOptions,
    facts: dict[str, object],
    fill: Callable[[CampaignStore], None] = lambda _: None,
) -> CampaignStore:
    """Begin a campaign in `folder`, which may exist but holds none; Refusal otherwise.

    `fill` writes what more it begins with. All of it is there, or nothing.
    """
    what = f"make a campaign in {folder}"
    check_writable(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{what}: {error.strerror or error}") from None
    lock = _locked(folder)
    try:
        if (folder / FILE).exists():
            _check_empty(folder, what)
        for left in (NEW, f"{NEW}-journal", FILE):  # by a start that was killed
            (folder / left).unlink(missing_ok=True)
        _fill(CampaignStore(folder, _connect(folder, "rwc", NEW)), options, facts, fill)
        (folder / NEW).rename(folder / FILE)
    except BaseException as error:
        _forget(folder, NEW)
        os.close(lock)
        if isinstance(error, OSError):
            raise Refusal(f"{what}: {error.strerror or error}") from None
        raise
    store = CampaignStore(folder, _connect(folder, "rw"), lock)
    _settle(store)
    return store


def _check_empty(folder: Path, what: str) -> None:
    """Refusal if the file is anybody's database; one without tables is what an older start left that was killed."""
    with CampaignStore(folder, _connect(folder, "ro")) as store:
        if store.one("PRAGMA user_version") or store.one("SELECT count(*) FROM sqlite_master"):
            raise Refusal(f"{what}: it holds one already (see `campaign status`); name another directory")


def _fill(
    store: CampaignStore, options: CampaignOptions, facts: dict[str, object], fill: Callable[[CampaignStore], None]
) -> None:
    """All that a campaign begins with, in one transaction; then the file is closed."""
    with store:
        _settle(store, wal=False)
        with store.writes():
            for statement in _TABLES.split(";\n"):
                store.run(statement)
            store.set_fact("options", options.pack())
            for name, value in facts.items():
                store.set_fact(name, value)
            _open_cells(store, options)
            fill(store)
            store.run(f"PRAGMA application_id = {_APPLICATION}")
            store.run(f"PRAGMA user_version = {VERSION}")


def _open_cells(store: CampaignStore, options: CampaignOptions) -> None:
    """A row for each cell."""
    for number, cell in enumerate(options.all_cells):
        first = options.next_mine(number, 0)
        is_open = first > 0 or cell.strategy not in MAY_COMPLETE
        values = (number, cell.label, cell.scenario, first, options.shards_of(cell), is_open, first)
        columns = "cell, label, family, next, last, open, triaged"
        store.run(f"INSERT INTO cells ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)


def open_to_write(folder: Path) -> CampaignStore:
    """The campaign of `folder`, for its only coordinator; Refusal if there is none, or another one runs."""
    _check_exists(folder)
    if not os.access(folder, os.W_OK | os.X_OK) or not os.access(folder / FILE, os.W_OK):
        raise Refusal(f"continue the campaign in {folder}: the directory is read-only")
    lock = _locked(folder)
    store = CampaignStore(folder, _connect(folder, "rw"), lock)
    try:
        _check_version(store)
        _settle(store)
    except BaseException:
        store.close()
        raise
    return store


def open_to_read(folder: Path) -> CampaignStore:
    """The campaign of `folder`, to look at while it runs or after."""
    _check_exists(folder)
    mode = "ro"
    if not os.access(folder, os.W_OK):
        # Readers of a write-ahead log make files beside it. Without a log, the one file is all there is.
        log = folder / f"{FILE}-wal"
        if log.exists() and log.stat().st_size:
            raise Refusal(f"read campaign {folder}: it was killed and is read-only now; copy it elsewhere to read it")
        mode = "ro&immutable=1"
    store = CampaignStore(folder, _connect(folder, mode))
    try:
        _check_version(store)
    except BaseException:
        store.close()
        raise
    return store


def running(folder: Path) -> bool:
    """Whether another process is at work in `folder`: it holds the lock as long as it lives, and no longer.

    Never asked by the one that holds it: to close any handle of the file would give the lock away.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        os.lockf(handle, os.F_TEST, 0)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _locked(folder: Path) -> int:
    """The lock of a campaign, for as long as this process lives or until it is closed."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Refusal(f"use the campaign in {folder}: {error.strerror or error}") from None
    try:
        os.lockf(handle, os.F_TLOCK, 0)
    except OSError:
        owner = os.read(handle, 32).decode("ascii", "replace").strip()
        os.close(handle)
        who = f"process {owner}" if owner else "another process"
        raise Refusal(f"use the campaign in {folder}: {who} is running it; wait, stop it, or name another") from None
    try:
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
    except OSError as error:
        os.close(handle)
        raise Refusal(f"use the campaign in {folder}: {error.strerror or error}") from None
    return handle


def _check_exists(folder: Path) -> None:
    if not (folder / FILE).is_file():
        raise Refusal(f"open campaign {folder}: there is none (no {FILE}); `campaign start` makes one")


def _forget(folder: Path, file: str) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        with suppress(OSError):
            (folder / f"{file}{suffix}").unlink(missing_ok=True)


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(folder: Path, mode: str, file: str = FILE) -> sqlite3.Connection:
    with _refused(folder, "open"):
        path = quote(str((folder / file).absolute()))
        return sqlite3.connect(f"file:{path}?mode={mode}", uri=True, isolation_level=None, timeout=10)


def _settle(store: CampaignStore, wal: bool = True) -> None:
    if wal:
        store.run("PRAGMA journal_mode = WAL")
    store.run("PRAGMA synchronous = FULL")


def _check_version(store: CampaignStore) -> None:
    what = f"open campaign {store.folder}"
    if store.one("PRAGMA application_id") != _APPLICATION:
        raise Refusal(f"{what}: {FILE} is not a campaign")
    version = store.one("PRAGMA user_version")
    if version != VERSION:
        newer = "; a newer stopmarker wrote it" if version > VERSION else ""
        raise Refusal(f"{what}: store version {version}, this stopmarker reads {VERSION}{newer}")
    said = store.one("PRAGMA quick_check(1)")
    if said != "ok":
        raise _damaged(store.folder, str(said).rpartition("\n")[2])
    for name, kind in _FACTS.items():
        if not isinstance(store.fact(name), kind):
            raise _damaged(store.folder, f"it does not say its {name}")


def _damaged(folder: Path, why: str) -> Refusal:
    return Refusal(
        f"open campaign {folder}: it is damaged ({one_line(why)}); start anew in another directory (what "
        f"{folder / FINDINGS} has still replays)"
    )


@contextmanager
def _refused(folder: Path, verb: str) -> Iterator[None]:
    """Errors of SQLite as one line."""
    try:
        yield
    except UnicodeDecodeError as error:  # of a message that cites a damaged text
        raise _damaged(folder, str(error)) from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        hint = {
            sqlite3.SQLITE_FULL: "; free some space",
            sqlite3.SQLITE_IOERR: "; is the disk full?",
            sqlite3.SQLITE_NOTADB: f"; {FILE} is not a campaign",
            sqlite3.SQLITE_CORRUPT: f"; start anew in another directory (what {folder / FINDINGS} has still replays)",
        }.get(code, "")
        raise Refusal(f"{verb} campaign {folder}: {error}{hint}") from None
