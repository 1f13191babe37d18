"""Find which images earlier runs have fetched, without writing anything."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd

from lib.download.image_files import is_there
from lib.download.image_record import NAME
from lib.download.jobs import LOCAL, Job, make_job
from lib.download.store import FOLDER
from lib.parallel import try_item

AT_ONCE: int = 500  # keys looked up; SQLite takes 999
NETWORK, RECORD, NOWHERE = "network", "record", "nowhere"


def find_known_images(links: pd.DataFrame, data_dir: Path, local_images: str = "") -> pd.DataFrame:
    """Find where the image of each link would come from, without opening it.

    Args:
        links: `link` and `folder`, each link once.
        data_dir: Of the images.
        local_images: Folder searched first for a link's file name, `""` for none.

    Returns:
        One row a link, in order: `link`, `source` (`"network"`, `"local"`, `"record"` for one that
        was fetched before, `"nowhere"` for one that cannot be asked for) and `sha256`, `""` if it
        is not known.
    """
    here = Path(local_images).resolve() if local_images else None
    rows = zip(links["link"], links["folder"], strict=True)
    jobs = [try_item(make_job, link, 0, folder, here) for link, folder in rows]
    known = _find_recorded([job.key for job in jobs if isinstance(job, Job)], data_dir)
    found = [_describe(job, known) for job in jobs]
    table = pd.DataFrame(found, columns=["source", "sha256"], dtype=object)
    return table.assign(link=links["link"].to_list())


def _describe(job: object, known: dict[str, str]) -> tuple[str, str]:
    """Return the source of a link's image and its sha256."""
    if not isinstance(job, Job):
        return NOWHERE, ""
    sha256 = known.get(job.key, "")
    if job.host == LOCAL:
        return "local", sha256
    return RECORD if sha256 else NETWORK, sha256


def _find_recorded(keys: list[str], data_dir: Path) -> dict[str, str]:
    """Return the sha256 of each key whose image is recorded and still there."""
    path = data_dir / FOLDER / NAME
    if not path.is_file():
        return {}
    # Immutable: SQLite makes no file beside it. What another run is adding may be missed.
    with suppress(sqlite3.Error), closing(_open(path)) as record:
        rows = [row for some in _cut(keys) for row in _look_up(record, some)]
        return {key: sha for key, sha, name, size in rows if is_there(data_dir / name, size)}
    return {}


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _cut(keys: list[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some


def _look_up(record: sqlite3.Connection, keys: list[str]) -> list[tuple[str, str, str, int]]:
    marks = ", ".join("?" * len(keys))
    query = f"SELECT link, sha256, path, bytes FROM links WHERE status = 'ok' AND link IN ({marks})"
    return record.execute(query, keys).fetchall()
