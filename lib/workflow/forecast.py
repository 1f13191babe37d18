"""Foresee a run without writing anything: what it would do again and why, for how long."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.download import NETWORK, NOWHERE, find_known_images
from lib.features import choose_device
from lib.io import (
    RunRecord,
    batch_of,
    count_batches,
    distinct_links,
    from_project,
    read_record,
)
from lib.io.cache import open_existing_cache
from lib.io.run_record import StageRow
from lib.ocr import default_settings, find_unread
from lib.reports import list_runs, print_duration
from lib.workflow.digests import digest_tables
from lib.workflow.disk_space import find_lack
from lib.workflow.outputs import DOWNLOAD, FINAL_STEPS, READ_STEPS, name_stage
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import NOTEBOOKS, Parameters
from lib.workflow.pipeline import foresee_run
from lib.workflow.plan import CHANGED, EARLIER, Plan, find_needs, make_plan
from lib.workflow.preflight import check_folders, read_tables
from lib.workflow.runner import Stage

START: float = 8.0  # seconds a notebook takes without any item, where no run tells; two cores
MOST_REASONS, MOST_RUNS = 12, 5  # that are named, and whose rates count
PATHS: frozenset[str] = frozenset({"RUN_DIR", "DATA_DIR", "BATCH"})


@dataclass(frozen=True)
class Rate:
    """How long a notebook takes: seconds for itself, and seconds for each new item."""

    start: float
    item: float

    def foresee(self, items: float) -> float:
        """Return the seconds that it takes for so many new items."""
        return self.start + (items * self.item if items else 0)


@dataclass
class Forecast:
    """What a run would do.

    Attributes:
        run: Its name.
        again: Why each stage must run, by name; it may turn out that it need not, if it only
            depends on others.
        reused: Number of stages whose results are still valid.
        images: Number of distinct links.
        fetched: Images that would be fetched.
        unread: Images that each engine would read.
        items: New items of each stage that must run.
        seconds: How long it would take, `None` if no earlier run tells.
        basis: The run whose rates these are.
        disk: Bytes that it would write, by folder.
    """

    run: str
    again: dict[str, str]
    reused: int
    images: int
    fetched: int = 0
    unread: dict[str, int] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    basis: str = ""
    disk: dict[str, int] = field(default_factory=dict)


def foresee(parameters: Parameters, notebooks: Path = NOTEBOOKS) -> Forecast:
    """Foresee a run, and write nothing.

    Args:
        parameters: Checked, as `read_parameters` returns them.
        notebooks: Folder of the numbered notebooks.

    Raises:
        ParameterError: The run would be refused.
    """
    run_dir = from_project(parameters.RUN_DIR)
    samples = read_tables(parameters).samples
    links = distinct_links(samples)
    check_folders(run_dir, from_project(parameters.DATA_DIR))
    batches = count_batches(links, parameters.BATCH_SIZE)
    plan = make_plan(parameters, notebooks, run_dir, batches)
    needs = foresee_run(plan, parameters, links)
    if lack := find_lack(needs):
        raise ParameterError(lack)
    again = list_reasons(plan, parameters)
    found = Forecast(run_dir.name, again, len(plan.stages) - len(again), len(links))
    found.disk = {str(folder): size for folder, size in needs.items()}
    count_images(found, plan, parameters, links)
    found.items |= {name: len(samples) for name in again if name in FINAL_STEPS}
    found.basis, rates = read_rates(run_dir.parent, parameters.OCR_ENGINES)
    if rates.keys() >= {name_step(name) for name in again}:
        times = {name: rates[name_step(name)].foresee(found.items[name]) for name in again}
        total = add_times(times, batches)
        found.seconds = None if math.isnan(total) else total
    return found


def list_reasons(plan: Plan, parameters: Parameters) -> dict[str, str]:
    """List the stages that must run and why, in order."""
    again: dict[str, str] = {}
    record = read_record(plan.run_dir)
    for name, stage in plan.stages.items():
        reason = plan.explain(stage)
        if reason == CHANGED:
            reason = describe_change(stage, parameters, record)
        needed = [need for need in find_needs(stage, plan.stages) if need in again]
        if reason in ("", EARLIER) and needed:
            reason = f"unless {needed[0]} gives the same result again"
        if reason:
            again[name] = reason
    return again


def describe_change(stage: Stage, parameters: Parameters, record: RunRecord) -> str:
    """Describe which inputs of a stage have changed since the run's last start."""
    before = record.get("parameters", {})
    names = [name for name in stage.parameters if name not in PATHS and name in before]
    changed = [name for name in names if stage.parameters[name] != before[name]]
    if changed:
        return f"{', '.join(changed)} changed"
    if record.get("data") != digest_tables(parameters):
        return "the tables have changed"
    return "the code, its pins, the notebook or a file that a parameter names has changed"


def count_images(found: Forecast, plan: Plan, parameters: Parameters, links: pd.DataFrame) -> None:
    """Count the images that would be fetched and read, by batch and in all."""
    local = parameters.LOCAL_IMAGES and str(from_project(parameters.LOCAL_IMAGES))
    found.unread = dict.fromkeys(parameters.OCR_ENGINES, 0)
    batches = {plan.stages[name].batch for name in found.again}
    for batch in sorted(number for number in batches if number is not None):
        own = batch_of(links, batch, parameters.BATCH_SIZE)
        images = find_known_images(own, plan.data_dir, local)
        unread = count_unread(images, plan.data_dir, parameters)
        fetched = int((images["source"] == NETWORK).sum())
        download, features, ocr = (name_stage(step, batch) for step in (DOWNLOAD, *READ_STEPS))
        counts = {download: fetched, features: max(unread.values()), ocr: sum(unread.values())}
        found.items |= {name: count for name, count in counts.items() if name in found.again}
        found.fetched += fetched if download in found.again else 0
        if ocr in found.again:
            found.unread = {name: count + unread[name] for name, count in found.unread.items()}


def count_unread(images: pd.DataFrame, data_dir: Path, parameters: Parameters) -> dict[str, int]:
    """Count the images that each engine has not read; one that is not known yet counts as such."""
    memory = open_existing_cache(data_dir)
    known = images.loc[images["sha256"] != "", "sha256"].unique()
    new = int(((images["sha256"] == "") & (images["source"] != NOWHERE)).sum())
    device = choose_device(parameters.DEVICE, parameters.CLUSTER)
    engines = {
        name: default_settings(name, parameters.PRECISION, device)
        for name in parameters.OCR_ENGINES
    }
    return {
        name: new + len(find_unread(known, name, settings, memory))
        for name, settings in engines.items()
    }


def read_rates(folder: Path, engines: Sequence[str]) -> tuple[str, dict[str, Rate]]:
    """Read how long each notebook took in the newest finished runs of a folder.

    Args:
        folder: Of runs.
        engines: Those of the run to foresee; runs with others do not tell how long reading takes.

    Returns:
        The newest of these runs, `""` if there is none, and the rate of each notebook.
    """
    finished = [run.folder for run in list_runs(folder)[0] if run.status == "finished"]
    records = [read_record(run) for run in finished[:MOST_RUNS]]
    rows: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        is_alike = record["parameters"].get("OCR_ENGINES") == engines
        for row in record["stages"]:
            step = name_step(row["name"])
            if is_alike or step != READ_STEPS[1]:
                pair = count_new(row, record["counts"]["samples"]), row["seconds"]
                rows.setdefault(step, []).append(pair)
    basis = f"{records[0]['run']} of {records[0]['started'][:10]}" if records else ""
    return basis, {step: fit_rate(pairs) for step, pairs in rows.items()}


def count_new(row: StageRow, samples: int) -> float:
    """Count the new items of a finished stage, as `Forecast.items` does."""
    step = name_step(row["name"])
    if step in FINAL_STEPS:
        return samples
    if step == DOWNLOAD:
        return float(row.get("fetched", 0))
    return float(row.get("cache_misses", 0)) / (2 if step == READ_STEPS[0] else 1)


def fit_rate(rows: Sequence[tuple[float, float]]) -> Rate:
    """Fit the time of a notebook: a start, and the same for each new item.

    >>> fit_rate([(0, 5.0), (100, 25.0)]), fit_rate([(0, 12.0)])
    (Rate(start=5.0, item=0.2), Rate(start=8.0, item=nan))

    Args:
        rows: New items and seconds of each time it ran.
    """
    start = min(START, *(seconds for _, seconds in rows))
    items = sum(count for count, _ in rows)
    spent = sum(max(0.0, seconds - start) for count, seconds in rows if count)
    return Rate(start, spent / items if items else math.nan)


def add_times(times: Mapping[str, float], batches: int) -> float:
    """Add up the seconds of the stages that run: a batch is fetched while another is read.

    >>> add_times({"01_download-00000": 5, "03_ocr-00000": 20, "04_extraction": 3}, 1)
    28
    """

    def take(step: str, batch: int) -> float:
        return times.get(name_stage(step, batch), 0)

    together = (
        max(take(DOWNLOAD, batch + 1), *(take(step, batch) for step in READ_STEPS))
        for batch in range(batches)
    )
    return take(DOWNLOAD, 0) + sum(together) + sum(times.get(step, 0) for step in FINAL_STEPS)


def name_step(stage: str) -> str:
    """Return the notebook of a stage.

    >>> name_step("03_ocr-00002")
    '03_ocr'
    """
    return stage.partition("-")[0]


def describe_forecast(found: Forecast) -> list[str]:
    """Describe a forecast in lines."""
    reasons: dict[str, Counter[str]] = {}
    for name, reason in found.again.items():
        reasons.setdefault(reason, Counter())[name_step(name)] += 1
    again = [
        f"  {', '.join(f'{step} ({count:,})' for step, count in steps.items())}: {reason}"
        for reason, steps in list(reasons.items())[:MOST_REASONS]
    ]
    unread = ", ".join(f"{count:,} with {engine}" for engine, count in found.unread.items())
    time = (
        f"about {print_duration(found.seconds)}, at the rates of {found.basis}"
        if found.seconds is not None
        else "unknown: no finished run beside it has done this work"
    )
    sizes = ", ".join(f"{size / 1e6:,.0f} MB in {folder}" for folder, size in found.disk.items())
    return [
        f"{found.run}: {len(found.again):,} notebooks to run, {found.reused:,} results are valid.",
        *again,
        f"Fetch: {found.fetched:,} of {found.images:,} images",
        f"Read: {unread}",
        f"Time: {time}",
        f"Disk: at most {sizes}",
        "Nothing was written.",
    ]
