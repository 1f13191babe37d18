"""Lock a run's folder and its series against other runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lib.io.manifest import LOCK, is_lock
from lib.io.run_dir import RunDirError, claim_run_dir
from lib.workflow.parameter_file import ParameterError
from lib.workflow.retention import name_series


class RunLocked(RuntimeError):
    """Another run is using this folder or a folder of the same series."""


def name_lock(run_dir: Path) -> Path:
    """Return the lock file that a run holds, so that no other run of its series starts.

    >>> name_lock(Path("reports/sample")).as_posix()
    'reports/sample/.lock'
    >>> name_lock(Path("reports/nightly-2026-01-02")).as_posix()
    'reports/.nightly-{start}.lock'
    """
    series = name_series(run_dir)
    return run_dir / LOCK if series == run_dir.name else run_dir.parent / f".{series}.lock"


@contextmanager
def lock_run(run_dir: Path, timeout: float = 0) -> Iterator[None]:
    """Lock a run's folder and its series against other runs.

    The lock is released when the process ends, however it ends.

    Args:
        run_dir: The run's folder, made here.
        timeout: Seconds to wait for another process to release it.

    Raises:
        RunLocked: Another process holds the lock.
        ParameterError: A foreign file is in the place of the lock.
    """
    path = name_lock(run_dir)
    if os.path.lexists(path) and not is_lock(path):
        raise ParameterError(f"{path} is no lock of a run; move it, or name another RUN_DIR.")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=timeout, poll_interval=1)
    except Timeout as error:
        raise RunLocked(
            f"Another run of {name_series(run_dir)} in {run_dir.parent} is under way. Wait for it, "
            "with --wait SECONDS if you like, or give this run another name with --run-name."
        ) from error
    try:
        claim_run_dir(run_dir)  # the folder may have changed since it was checked
        yield
    except RunDirError as error:
        raise ParameterError(str(error)) from error
    finally:
        lock.release()
