"""Keep the manifest of a run: which files it wrote, with which content; it touches no others."""

import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeGuard

LOG = logging.getLogger(__name__)

NAME: str = ".manifest.jsonl"
LOCK: str = ".lock"
HEADER: dict[str, str] = {"made_by": "product-measurements"}


Content = tuple[dict[str, set[str]], set[str]]
"""The digests of each file, and the temporary files."""


class Manifest:
    """The files that a run wrote, by their path below its folder and the sha256 of their content.

    A line is appended before a file takes its place, so that a kill at any moment leaves no file
    of the run unknown. Several processes may append at the same time.

    Args:
        run_dir: Folder of the run.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir.absolute()
        self._path = self.run_dir / NAME
        self._known: tuple[int, Content] = (-1, ({}, set()))  # as it was at so many bytes

    def add(self, path: Path) -> str:
        """Record a file with the content that it has, and return its sha256."""
        digest = digest_file(path)
        self._record(path, digest)
        return digest

    def install(self, temporary: Path, path: Path) -> None:
        """Move a finished file to its place; a file there that is not the run's is moved aside."""
        self._record(path, digest_file(temporary))
        self.make_way(path)
        temporary.replace(path)

    def new_temporary(self, path: Path) -> Path:
        """Name a path beside a file under which it can be made, and record it.

        The name is random, so that whatever a killed run leaves there is the run's.
        """
        temporary = name_temporary(path)
        self._append({"temporary": self._name(temporary)})
        return temporary

    def owns(self, path: Path) -> bool:
        """Tell whether a file has a content that this run wrote there."""
        digests = self._read()[0].get(self._name(path), set())
        return bool(digests) and path.is_file() and digest_file(path) in digests

    def names(self, path: Path) -> bool:
        """Tell whether this run wrote a file at a path, whatever is there now."""
        return self._name(path) in self._read()[0]

    def make_way(self, path: Path) -> None:
        """Move aside whatever lies at a path, or in the way to it, that is not the run's."""
        for parent in reversed(path.absolute().relative_to(self.run_dir).parents):
            place = self.run_dir / parent
            if place.exists() and not place.is_dir():
                self._move_aside(place)
        if os.path.lexists(path) and not self.owns(path):
            self._move_aside(path)

    def remove(self, path: Path) -> None:
        """Delete a file of the run; one with another content is moved aside."""
        self.make_way(path)
        path.unlink(missing_ok=True)

    def delete_files(self) -> None:
        """Delete all files of the run, and the folders that are empty then; others stay."""
        self.remove_temporaries()
        owned = [path for path in self.list_paths() if self.owns(path)]
        for path in owned:
            path.unlink()
        if is_lock(self.run_dir / LOCK):
            (self.run_dir / LOCK).unlink()
        self._path.unlink(missing_ok=True)
        folders = {parent for path in owned for parent in path.parents}
        below = [folder for folder in folders if folder.is_relative_to(self.run_dir)]
        for folder in sorted({*below, self.run_dir}, reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()

    def remove_temporaries(self) -> None:
        """Delete what a killed run left half written; no run may be under way."""
        digests, temporaries = self._read()
        for path in (self.run_dir / name for name in temporaries):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        lines = [{"path": name, "sha256": one} for name in digests for one in digests[name]]
        temporary = name_temporary(self._path)
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in (HEADER, *lines))
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        temporary.replace(self._path)

    def list_temporaries(self) -> list[Path]:
        """List the paths under which the run makes, or made, files and folders meanwhile."""
        return [self.run_dir / name for name in self._read()[1]]

    def list_paths(self) -> list[Path]:
        """List all paths at which the run wrote a file, be it there or not."""
        return [self.run_dir / name for name in self._read()[0]]

    def is_valid(self) -> bool:
        """Tell whether the manifest is there and begins as this project begins one."""
        first = next(iter(read_lines(self._path)), None)
        return first == HEADER

    def begin(self) -> None:
        """Begin an empty manifest; what lies there under its name is moved aside."""
        if os.path.lexists(self._path):
            self._move_aside(self._path)
        self._append(HEADER)

    def _record(self, path: Path, digest: str) -> None:
        name = self._name(path)
        if digest not in self._read()[0].get(name, set()):
            self._append({"path": name, "sha256": digest})

    def _read(self) -> Content:
        """Read the manifest, unless nothing was added since."""
        size = self._path.stat().st_size if self._path.is_file() else 0
        if size != self._known[0]:
            self._known = (size, self._parse())
        return self._known[1]

    def _parse(self) -> Content:
        digests: dict[str, set[str]] = {}
        temporaries: set[str] = set()
        for line in read_lines(self._path):
            path, digest, temporary = (line.get(key) for key in ("path", "sha256", "temporary"))
            if is_name(path) and isinstance(digest, str):
                digests.setdefault(path, set()).add(digest)
            if is_name(temporary):
                temporaries.add(temporary)
        return digests, temporaries

    def _append(self, line: dict[str, str]) -> None:
        # It begins on a new line: the last one may have been cut by a full disk.
        text = f"\n{json.dumps(line, ensure_ascii=False)}"
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(file, text.encode("utf-8", "surrogateescape"))
        finally:
            os.close(file)

    def _name(self, path: Path) -> str:
        return path.absolute().relative_to(self.run_dir).as_posix()

    def _move_aside(self, path: Path) -> None:
        aside = move_aside(path)
        LOG.warning("%s is not as this run wrote it; it is kept as %s", path, aside.name)


def is_name(value: object) -> TypeGuard[str]:
    """Tell whether a value is a path that stays below a folder.

    >>> is_name("tables/a.parquet"), is_name("../a"), is_name("/a"), is_name(""), is_name(7)
    (True, False, False, False, False)
    """
    if not isinstance(value, str) or not value:
        return False
    path = Path(value)
    return not path.is_absolute() and ".." not in path.parts


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Read the JSON objects of a file, one per line; skip other lines and a missing file."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value


def digest_file(path: Path) -> str:
    """Compute the sha256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_temporary(path: Path) -> Path:
    """Return a random path for a hidden file beside another."""
    return path.with_name(f".{path.stem}.{secrets.token_hex(8)}{path.suffix}")


def move_aside(path: Path) -> Path:
    """Rename a file or folder to an unused name that includes the time.

    Returns:
        Its new path, such as `predictions.csv.2026-11-27T2210`.
    """
    stem = f"{path.name}.{datetime.now():%Y-%m-%dT%H%M}"
    names = (path.with_name(f"{stem}{f'-{n}' if n else ''}") for n in range(10_000))
    aside = next(name for name in names if not os.path.lexists(name))
    path.rename(aside)
    return aside


def find_manifest(path: Path) -> Manifest | None:
    """Find the manifest of the run that a path lies in, `None` if it lies in none."""
    folders = (folder for folder in path.absolute().parents if (folder / NAME).is_file())
    found = next(folders, None)
    manifest = Manifest(found) if found else None
    return manifest if manifest and manifest.is_valid() else None


def new_temporary(path: Path) -> Path:
    """Name a path beside a file under which it can be made; in a run's folder it is recorded."""
    manifest = find_manifest(path)
    return manifest.new_temporary(path) if manifest else name_temporary(path)


def is_lock(path: Path) -> bool:
    """Tell whether a file may be a run's lock, which is empty; locking empties what it locks."""
    return path.is_file() and not path.is_symlink() and not path.stat().st_size
