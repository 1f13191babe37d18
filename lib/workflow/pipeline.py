"""Run notebooks 01 to 03 batch by batch, then 04 and 05; resume an interrupted run."""

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.download import delete_downloaded
from lib.io import (
    RunRecord,
    SampleTables,
    count_batches,
    distinct_links,
    from_project,
    may_be_local,
    read_record,
)
from lib.io.cache import note_use, prune_cache
from lib.io.run_dir import LOG_VARIABLE, RUN_LOG, end_log, list_logs, log_to
from lib.io.run_record import StageCounts
from lib.parallel import PROGRESS_VARIABLE
from lib.reports import list_runs, write_notebook_page, write_runs
from lib.workflow import run_record as record
from lib.workflow.disk_space import explain_full_disk, find_lack, foresee_needs
from lib.workflow.heartbeat import ProgressKeeper, Show, keep_progress, list_steps
from lib.workflow.kernel_home import find_home
from lib.workflow.locking import lock_run
from lib.workflow.outputs import DOWNLOAD, FINAL_STEPS, READ_STEPS, name_stage, open_manifest
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import NOTEBOOKS, Parameters
from lib.workflow.plan import Plan, make_plan
from lib.workflow.preflight import check_folders, read_tables
from lib.workflow.retention import prune_runs
from lib.workflow.runner import Runner, Stage, StageError

LOG = logging.getLogger(__name__)


def run_pipeline(
    parameters: Parameters,
    notebooks: Path = NOTEBOOKS,
    runner: Runner | None = None,
    timeout: float = 0,
    show: Show = lambda progress: None,
) -> Path:
    """Run all notebooks.

    Args:
        parameters: Checked, as `read_parameters` returns them.
        notebooks: Folder of the numbered notebooks.
        runner: Runs each notebook; by default in a process of its own.
        timeout: Seconds to wait for another run of the same series to end.
        show: Called every two seconds with how far the run is.

    Returns:
        The run's folder.

    Raises:
        ParameterError: The sample tables cannot be used, or a disk has too little free space;
            nothing was started.
        RunLocked: Another run of the series is in progress; nothing was started.
        StageError: A notebook failed, possibly because a disk is full; its executed copy,
            `run.json` and the report are written.
    """
    run_dir = from_project(parameters.RUN_DIR)
    tables = read_tables(parameters)
    samples = tables.samples
    links = distinct_links(samples)
    batches = count_batches(links, parameters.BATCH_SIZE)
    check_folders(run_dir, from_project(parameters.DATA_DIR))
    plan = make_plan(parameters, notebooks, run_dir, batches)
    needs = foresee_run(plan, parameters, links)
    if lack := find_lack(needs):
        raise ParameterError(lack)
    runner = runner or Runner()
    with lock_run(run_dir, timeout), keep_log(run_dir):
        before = read_record(run_dir)
        log = record.start_record(parameters, len(samples), len(links), batches)
        try:
            tell_tables(tables)
            plan.clear()
            kernels = open_manifest(run_dir).new_temporary(run_dir / "kernels")
            steps = list_steps(plan, len(links), len(samples))
            with find_home(kernels) as folders, keep_progress(plan, steps, show) as keeper:
                runner.environment |= {LOG_VARIABLE: "\n".join(list_logs()), **folders}
                runner.environment[PROGRESS_VARIABLE] = str(keeper.folder)
                Run(parameters, plan, log, runner, keeper, before).go()
        except (StageError, OSError) as error:
            if full := explain_full_disk(error, needs):
                raise StageError(f"{error}\n{full}") from error
            raise
    return run_dir


@contextmanager
def keep_log(run_dir: Path) -> Iterator[None]:
    """Write the log of a run to its `run.log`; a foreign file of that name is moved aside."""
    path, manifest = run_dir / RUN_LOG, open_manifest(run_dir)
    manifest.make_way(path)
    handler = log_to(path)
    try:
        yield
    finally:
        end_log(handler)
        if path.is_file():
            manifest.add(path)


def foresee_run(plan: Plan, parameters: Parameters, links: pd.DataFrame) -> dict[Path, int]:
    """Estimate the bytes that a run still has to write, by folder."""
    batches, size = plan.count_open_batches(), parameters.BATCH_SIZE
    images = min(len(links), batches * size)
    fetched = min(images, len(links) - sum(map(may_be_local, links["link"])))
    kept = fetched if plan.keep_images else min(fetched, 2 * size)
    return foresee_needs(plan.run_dir, plan.data_dir, images, batches, kept)


def tell_tables(tables: SampleTables) -> None:
    """Log what was found out about the tables, and the first of their rows that cannot be asked."""
    for note in tables.notes:
        LOG.info("%s", note)
    for warning in tables.warnings:
        LOG.warning("%s", warning)


@dataclass
class Run:
    """A run in progress.

    Attributes:
        parameters: Of the run, checked.
        plan: Its stages.
        log: Its record, later written to `run.json`.
        runner: Runs the notebooks.
        keeper: Notes which stages begin and end.
        before: Record of the last run in the same folder, empty if there is none.
        writers: Writes pages in the background.
    """

    parameters: Parameters
    plan: Plan
    log: RunRecord
    runner: Runner
    keeper: ProgressKeeper
    before: RunRecord
    writers: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.writers = self.runner.open_writers()

    def go(self) -> None:
        """Run all stages that are not done; write record and report, even after a failure.

        Raises:
            StageError: A notebook failed.
        """
        started = time.monotonic()
        status, error = "interrupted", "The run was stopped."
        record.save_record(self.log, self.plan.run_dir)
        try:
            self._run_all()
            status, error = "finished", ""
        except StageError as failure:
            status, error = "failed", str(failure)
            raise
        finally:
            self._remove_unconfirmed()
            record.end_record(self.log, self.plan.run_dir, status, started, error)
            self._report()
        self.plan.forget_failures()
        if self.parameters.CACHE_SIZE:
            prune_cache(self.plan.data_dir, self.parameters.CACHE_SIZE)

    def _report(self) -> None:
        """Write the run's page and that of all runs, unless they show the same already."""
        run_dir = self.plan.run_dir
        with self.writers:
            pruned = try_to_prune(run_dir, self.parameters.KEEP_RUNS)
            pages = (run_dir / "index.html", run_dir.parent / "index.html")
            if pruned or not self._shows_same() or not all(page.is_file() for page in pages):
                try:
                    self.writers.submit(write_pages, run_dir).result()
                except BrokenExecutor:  # its process was killed, perhaps for lack of memory
                    write_pages(run_dir)

    def _shows_same(self) -> bool:
        """Tell whether all stages were reused and the records differ in times only."""
        records = [
            {name: value for name, value in one.items() if name not in record.TIMES}
            for one in (self.before, self.log)
        ]
        return records[0] == records[1] and all(row["reused"] for row in self.log["stages"])

    def _run_all(self) -> None:
        with ThreadPoolExecutor(1 + len(READ_STEPS)) as pool:
            try:
                self._run_batches(pool)
                for step in FINAL_STEPS:
                    self._do(step)
            except BaseException:  # Ctrl-C too: no process may go on alone
                self.runner.stop()
                raise

    def _run_batches(self, pool: ThreadPoolExecutor) -> None:
        """Download each batch while the one before it is read."""
        batches = self.log["counts"]["batches"]
        self._prepare(READ_STEPS, 0)
        fetching: Future[None] = pool.submit(self._do, DOWNLOAD, 0)
        for batch in range(batches):
            fetching.result()
            if batch + 1 < batches:
                fetching = pool.submit(self._do, DOWNLOAD, batch + 1)
            readings = [pool.submit(self._do, step, batch) for step in READ_STEPS]
            if batch + 1 == batches:
                self._prepare(FINAL_STEPS)
            for reading in readings:
                reading.result()
            fetching.result()  # no download may run while files are deleted
            if not self.parameters.KEEP_IMAGES:
                self._delete_images(batch)

    def _prepare(self, steps: Iterable[str], batch: int | None = None) -> None:
        """Start the processes of stages that must run, as far as is known, before their turn."""
        for stage in (self.plan.stages[name_stage(step, batch)] for step in steps):
            if self.plan.recall(stage) is None:
                self.runner.prepare(stage)

    def _do(self, step: str, batch: int | None = None) -> None:
        """Run one notebook, unless its earlier result is still valid, and record the outcome."""
        stage = self.plan.stages[name_stage(step, batch)]
        seconds = self.plan.recall(stage)
        reused = seconds is not None
        if seconds is None:
            self.plan.remove(stage)
            LOG.info("%s: started", stage.name)
            seconds = self._run_stage(stage)
            self.plan.mark_done(stage, seconds)
        else:
            self.runner.discard(stage.name)
            self.keeper.reuse(stage.name, self._count_items(stage))
        counts = record.add_stage(self.log, stage, seconds, reused)
        if not reused and "cache_hits" in counts:
            note_use(self.plan.data_dir, step, counts["cache_hits"], counts["cache_misses"])
        if not stage.target.with_suffix(".html").is_file():
            self._write_page(stage)
        LOG.info("%s: %s", stage.name, _summarise(seconds, reused, counts))

    def _run_stage(self, stage: Stage) -> float:
        self.keeper.begin(stage.name, self._count_items(stage))
        try:
            seconds = self.runner.run(stage)
        except StageError:
            self._write_page(stage)
            raise
        self.keeper.end(stage.name)
        return seconds

    def _count_items(self, stage: Stage) -> int:
        """Count the links of a stage's batch, or the rows of all batches."""
        counts, size = self.log["counts"], self.parameters.BATCH_SIZE
        if stage.batch is None:
            return counts["samples"]
        return max(0, min(size, counts["links"] - stage.batch * size))

    def _write_page(self, stage: Stage) -> None:
        """Convert an executed notebook, even a partial one, to a page in the background."""
        if stage.target.is_file():
            samples = self.log["counts"]["samples"]
            with suppress(BrokenExecutor):  # the next run writes a page that is missing
                self.writers.submit(write_notebook_page, stage.target, self.log["run"], samples)

    def _remove_unconfirmed(self) -> None:
        """Remove old results of final stages not reached, which would pass for this run's own."""
        confirmed = {row["name"] for row in self.log["stages"]}
        for step in FINAL_STEPS:
            if step not in confirmed:
                self.plan.remove(self.plan.stages[step])

    def _delete_images(self, batch: int) -> None:
        """Delete a batch's downloaded files, except those that the next batch needs."""
        delete_downloaded(
            self.plan.data_dir, self._find_images(batch) - self._find_images(batch + 1)
        )

    def _find_images(self, batch: int) -> set[Path]:
        """Return the paths of a batch's image files."""
        stage = self.plan.stages.get(name_stage(DOWNLOAD, batch))
        if stage is None:
            return set()
        table = pd.read_parquet(stage.makes[0], columns=["path", "status"])
        return {self.plan.data_dir / path for path in table.loc[table["status"] == "ok", "path"]}


def write_pages(run_dir: Path) -> None:
    """Write the run's front page and rewrite the page of all runs."""
    write_page(run_dir)
    update_runs(run_dir.parent)


def write_page(run_dir: Path) -> None:
    """Write the run's front page; its slow imports are done only here."""
    from lib.reports import write_run_page

    write_run_page(run_dir)


def _summarise(seconds: float, reused: bool, counts: StageCounts) -> str:
    """Describe a finished stage in words.

    >>> _summarise(3.21, False, {"cache_hits": 8, "cache_misses": 0})
    '3.2 s, 0 new, 8 from the cache'
    """
    if reused:
        return "finished before"
    cache = ""
    if "cache_hits" in counts:
        cache = f", {counts['cache_misses']} new, {counts['cache_hits']} from the cache"
    return f"{seconds:.1f} s{cache}"


def try_to_prune(run_dir: Path, keep: int) -> list[Path]:
    """Delete the oldest runs of a series; an error is logged and does not affect the run."""
    try:
        return prune_runs(run_dir, keep)
    except OSError as error:
        LOG.warning("Old runs were not deleted: %s", error)
        return []


def update_runs(reports: Path) -> None:
    """Rewrite the page of all runs; an error is logged and does not affect the run."""
    try:
        for run in list_runs(reports)[0]:  # adds a manifest to runs of the previous version
            open_manifest(run.folder)
        write_runs(reports)
    except OSError as error:
        LOG.warning("The page of all runs was not renewed: %s", error)
