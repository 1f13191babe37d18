"""Name the series of runs that differ only in their start, and delete the oldest runs."""

import logging
import re
from pathlib import Path

from lib.io import read_record
from lib.reports import list_runs
from lib.workflow.outputs import open_manifest

LOG = logging.getLogger(__name__)

# The start in a folder's name, as written by `lib.workflow.parameters.fill_start`.
START: re.Pattern[str] = re.compile(r"\d{4}-\d\d-\d\d(-\d{6})?")


def name_series(run_dir: Path) -> str:
    """Return the series of a run's folder: its name without the start.

    >>> name_series(Path("reports/nightly-2026-01-02-030405")), name_series(Path("reports/sample"))
    ('nightly-{start}', 'sample')
    """
    return START.sub("{start}", run_dir.name)


def prune_runs(run_dir: Path, keep: int) -> list[Path]:
    """Delete the oldest runs of a series.

    Only folders that a run made and that still have their original name are considered, so a
    renamed one is kept; only files that the run wrote are deleted. The newest finished run is kept,
    however many failed after it.

    Args:
        run_dir: The newest run; its neighbours of the same series are considered.
        keep: Number of runs of the series to keep, this one included; 0 for all.

    Returns:
        The folders of the deleted runs; a folder that still holds foreign files stays.
    """
    series = name_series(run_dir)
    if not keep or series == run_dir.name:
        return []
    runs = [run for run in list_runs(run_dir.parent)[0] if name_series(run.folder) == series]
    own = [run for run in runs if _is_own(run.folder)]
    finished = [run.name for run in own if run.status == "finished"]
    spared = {run_dir.name, *finished[:1]}
    old = [run.folder for run in own[keep:] if run.name not in spared]
    return [folder for folder in old if _delete(folder)]


def _is_own(folder: Path) -> bool:
    """Return whether a run made this very folder, and it is no copy or symlink."""
    return not folder.is_symlink() and read_record(folder).get("run") == folder.name


def _delete(folder: Path) -> bool:
    try:
        open_manifest(folder).delete_files()
    except OSError as error:
        LOG.warning("The old run %s cannot be deleted: %s", folder, error)
        return False
    stays = f"; files that it did not write stay in {folder}" if folder.exists() else ""
    LOG.info("deleted the old run %s%s", folder.name, stays)
    return True
