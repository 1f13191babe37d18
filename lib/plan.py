"""The plan of a run: which notebooks run in which order, and which of them are done already."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from lib.parameters import Parameters, notebook_parameters
from lib.paths import PROJECT, from_project
from lib.samples import write_json
from lib.stage import Stage

# What each notebook makes in the run's folder.
DOWNLOAD: str = "01_download"
READ_STEPS: tuple[str, ...] = ("02_features", "03_ocr")
BATCH_STEPS: dict[str, tuple[str, ...]] = {
    "01_download": ("tables/images/part-{batch:05d}.parquet",),
    "02_features": (
        "tables/features/part-{batch:05d}.npy",
        "tables/features/part-{batch:05d}.parquet",
        "tables/shapes/part-{batch:05d}.parquet",
    ),
    "03_ocr": (
        "tables/words/part-{batch:05d}.parquet",
        "tables/pages/part-{batch:05d}.parquet",
        "tables/strokes/part-{batch:05d}.parquet",
    ),
}
FINAL_STEPS: dict[str, tuple[str, ...]] = {
    "04_extraction": (
        *("tables/candidates.parquet", "tables/predictions.parquet", "predictions.csv"),
        *("tables/learning_curve.parquet", "tables/ablation.parquet"),
    ),
    "05_evaluation": ("metrics.json", "tables/verdicts.parquet", "tables/profiles.parquet"),
}


@dataclass(frozen=True)
class Plan:
    """The stages of one run, in order, and how far an interrupted run has come.

    Attributes:
        run_dir: Folder of the run.
        stages: By name, in the order in which they may run.
        fingerprints: By stage: the state of all that its result depends on.
        finished: By stage: the seconds it took, for stages that need not run again.
    """

    run_dir: Path
    stages: dict[str, Stage]
    fingerprints: dict[str, str]
    finished: dict[str, float]

    def mark_done(self, stage: Stage, seconds: float) -> None:
        """Note on disk that a stage is finished."""
        mark = {"fingerprint": self.fingerprints[stage.name], "seconds": seconds}
        write_json(mark, _mark(self.run_dir, stage))

    def clear(self) -> None:
        """Remove what earlier runs left of the stages to come, so that no result is stale."""
        todo = [stage for stage in self.stages.values() if stage.name not in self.finished]
        for stage in todo:
            pages = (stage.target, stage.target.with_suffix(".html"))
            for path in (*stage.makes, *pages, stage.counts, _mark(self.run_dir, stage)):
                path.unlink(missing_ok=True)
        for path in self.run_dir.glob("*/**/*-[0-9][0-9][0-9][0-9][0-9].*"):
            if self._is_stale(path):
                path.unlink()

    def _is_stale(self, path: Path) -> bool:
        """Whether a batch's file is half written, of no batch of this run, or to be made anew."""
        batch = int(re.findall(r"-(\d{5})\.", path.name)[-1])
        download = name_stage(DOWNLOAD, batch)
        is_list = path.parent.name == "failed"
        is_unfinished = path.name.startswith(".")  # nobody else writes here: the run is locked
        return (
            is_unfinished
            or download not in self.stages
            or (is_list and download not in self.finished)
        )

    def forget(self) -> None:
        """After a whole run the next one goes through everything again, out of the cache."""
        for stage in self.stages.values():
            _mark(self.run_dir, stage).unlink(missing_ok=True)


def make_plan(parameters: Parameters, notebooks: Path, run_dir: Path, batches: int) -> Plan:
    """Plan a run.

    Args:
        parameters: Of the run, checked.
        notebooks: Folder of the numbered notebooks.
        run_dir: Folder of the run, as an interrupted run may have left it.
        batches: Number of batches of distinct links.
    """
    steps = [(step, batch) for batch in range(batches) for step in BATCH_STEPS]
    steps += [(step, None) for step in FINAL_STEPS]
    stages = [_make_stage(step, batch, parameters, notebooks, run_dir) for step, batch in steps]
    fingerprints = _fingerprint(stages, parameters)
    finished = _find_finished(stages, fingerprints, run_dir)
    if not parameters["KEEP_IMAGES"]:
        finished = _whole_batches(finished)
    return Plan(run_dir, {stage.name: stage for stage in stages}, fingerprints, finished)


def name_stage(step: str, batch: int | None) -> str:
    """Name a notebook's run over one batch, or over all.

    >>> name_stage("03_ocr", 2), name_stage("04_extraction", None)
    ('03_ocr-00002', '04_extraction')
    """
    return step if batch is None else f"{step}-{batch:05d}"


def _make_stage(
    step: str, batch: int | None, parameters: Parameters, notebooks: Path, run_dir: Path
) -> Stage:
    name, source = name_stage(step, batch), notebooks / f"{step}.ipynb"
    values = parameters | {"BATCH": batch}
    makes = (BATCH_STEPS | FINAL_STEPS)[step]
    return Stage(
        source=source,
        target=run_dir / "notebooks" / f"{name}.ipynb",
        counts=run_dir / "stages" / f"{name}.json",
        parameters={known: values[known] for known in notebook_parameters(source)},
        makes=tuple(run_dir / path.format(batch=batch) for path in makes),
        batch=batch,
    )


def _mark(run_dir: Path, stage: Stage) -> Path:
    """Name the file that says a stage is finished, until the whole run is."""
    return run_dir / "stages" / f"{stage.name}.done"


def _find_finished(
    stages: list[Stage], fingerprints: dict[str, str], run_dir: Path
) -> dict[str, float]:
    """Find the stages an interrupted run finished with the same inputs, and their seconds."""
    finished = {}
    for stage in stages:
        mark = _read_mark(_mark(run_dir, stage))
        same = mark.get("fingerprint") == fingerprints[stage.name]
        if same and all(path.exists() for path in stage.makes):
            finished[stage.name] = mark["seconds"]
    return finished


def _read_mark(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _whole_batches(finished: dict[str, float]) -> dict[str, float]:
    """Leave out downloads whose batch is not read yet: their files may be deleted already."""
    return {
        name: seconds
        for name, seconds in finished.items()
        if not name.startswith(DOWNLOAD)
        or all(name.replace(DOWNLOAD, step) in finished for step in READ_STEPS)
    }


def _fingerprint(stages: list[Stage], parameters: Parameters) -> dict[str, str]:
    """Digest what each stage depends on: code, tables, parameters and the stages before it."""
    base = [_digest_code(), digest_tables(parameters)]
    prints: dict[str, str] = {}
    for stage in stages:
        before = [prints[name] for name in _find_needs(stage, prints)]
        own = [stage.source.read_text(encoding="utf-8"), json.dumps(stage.parameters)]
        prints[stage.name] = _digest(*base, *before, *own)
    return prints


def _find_needs(stage: Stage, before: dict[str, str]) -> list[str]:
    """List the stages whose results a stage reads."""
    if stage.batch is None:
        return list(before)
    download = name_stage(DOWNLOAD, stage.batch)
    return [download] if download in before else []


def _digest_code() -> str:
    """Digest the library and its pins; tests are left out."""
    files = [path for path in (PROJECT / "lib").rglob("*.py") if "tests" not in path.parts]
    files += PROJECT.glob("requirements.txt")
    return _digest(*(path.read_text(encoding="utf-8") for path in sorted(files)))


def digest_tables(parameters: Parameters) -> str:
    """Digest the rows that are asked about: the same for runs on the same data."""
    digests = [str(parameters["MAX_ROWS"])]
    for name in ("TRAIN_CSV", "TEST_CSV"):
        path = str(parameters[name])
        digests.append(_digest_file(from_project(path)) if path else "")
    return _digest(*digests)


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
