"""The plan of a run: which notebooks run in which order, and whose earlier results still hold."""

import functools
import hashlib
import itertools
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

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


# Columns that say how a table was made, not what is in it: they make no other table stale.
EFFORT: dict[str, tuple[str, ...]] = {
    "images": ("source", "attempts", "seconds"),
    "pages": ("seconds",),
}


@dataclass(frozen=True)
class Plan:
    """The stages of one run, in order, and which results of earlier runs still hold.

    A finished stage leaves a mark: what it was made from (code, tables, parameters, the results of
    the stages before it) and what it made. A result holds as long as a new one would be made from
    the same.

    Attributes:
        run_dir: Folder of the run.
        data_dir: Where paths of images begin.
        keep_images: Whether image files stay when they are read.
        stages: By name, in the order in which they may run.
        settings: By stage: digest of code, tables and parameters.
    """

    run_dir: Path
    data_dir: Path
    keep_images: bool
    stages: dict[str, Stage]
    settings: dict[str, str]

    def recall(self, stage: Stage) -> float | None:
        """Give the seconds a stage took, `None` if it must run; the stages before it are done."""
        mark = self._read_mark(stage)
        holds = self._may_hold(stage) and mark.get("inputs") == self._digest_inputs(stage)
        return mark["seconds"] if holds else None

    def count_open_batches(self) -> int:
        """Count the batches that are not read yet."""
        todo = (stage for stage in self.stages.values() if not self._may_hold(stage))
        return len({stage.batch for stage in todo} - {None})

    def mark_done(self, stage: Stage, seconds: float) -> None:
        """Note on disk that a stage is finished."""
        mark = {
            "settings": self.settings[stage.name],
            "inputs": self._digest_inputs(stage),
            "made": _digest(*map(_digest_file, stage.makes)),
            "seconds": seconds,
        }
        write_json(mark, _mark(self.run_dir, stage))

    def clear(self) -> None:
        """Remove what earlier runs left and what cannot hold, so that no result is stale."""
        for stage in self.stages.values():
            if not self._may_hold(stage):
                self.remove(stage)
        for path in self.run_dir.glob("*/**/*-[0-9][0-9][0-9][0-9][0-9].*"):
            if self._is_stale(path):
                path.unlink()

    def remove(self, stage: Stage) -> None:
        """Remove all that a stage made."""
        pages = (stage.target, stage.target.with_suffix(".html"))
        for path in (_mark(self.run_dir, stage), *stage.makes, *pages, stage.counts):
            path.unlink(missing_ok=True)

    def forget_failures(self) -> None:
        """After a whole run, let the next one try again what failed."""
        for stage in self.stages.values():
            if stage.batch is not None and _read_json(stage.counts).get("failures"):
                _mark(self.run_dir, stage).unlink(missing_ok=True)

    def _read_mark(self, stage: Stage) -> dict:
        return _read_json(_mark(self.run_dir, stage))

    def _digest_inputs(self, stage: Stage) -> str:
        """Digest what the stages made that this one reads."""
        before = [self.stages[name] for name in _find_needs(stage, self.stages)]
        return _digest(*(self._read_mark(need).get("made", "") for need in before))

    def _may_hold(self, stage: Stage) -> bool:
        """Whether a stage's result is here and would be made in the same way again."""
        return (
            self._read_mark(stage).get("settings") == self.settings[stage.name]
            and all(path.exists() for path in stage.makes)
            and (not stage.name.startswith(DOWNLOAD) or self._has_images(stage))
            and not _answers(_read_json(stage.counts).get("missed", ""))
        )

    def _has_images(self, stage: Stage) -> bool:
        """Whether the files of a batch are as they were, or are not needed any more."""
        if not self.keep_images:
            readers = [self.stages[stage.name.replace(DOWNLOAD, step)] for step in READ_STEPS]
            return all(map(self._may_hold, readers))
        seen_at = _mark(self.run_dir, stage).stat().st_mtime
        table = pd.read_parquet(stage.makes[0], columns=["path", "bytes", "status"])
        ok = table[table["status"] == "ok"]
        files = zip(ok["path"], ok["bytes"], strict=True)
        return all(_is_unchanged(self.data_dir / path, size, seen_at) for path, size in files)

    def _is_stale(self, path: Path) -> bool:
        """Whether a batch's file is half written, of no batch of this run, or to be made anew."""
        batch = int(re.findall(r"-(\d{5})\.", path.name)[-1])
        download = self.stages.get(name_stage(DOWNLOAD, batch))
        is_list = path.parent.name == "failed"
        is_unfinished = path.name.startswith(".")  # nobody else writes here: the run is locked
        return is_unfinished or download is None or (is_list and not download.makes[0].exists())


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
    base = [_digest_code(), digest_tables(parameters)]
    return Plan(
        run_dir,
        from_project(str(parameters["DATA_DIR"])).resolve(),
        bool(parameters["KEEP_IMAGES"]),
        {stage.name: stage for stage in stages},
        {stage.name: _digest(*base, *_describe(stage)) for stage in stages},
    )


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
    """Name the file that says a stage is finished, and from what."""
    return run_dir / "stages" / f"{stage.name}.done"


def _describe(stage: Stage) -> tuple[str, str, str]:
    """Describe what is a stage's own: its code, its parameters, and the run it compares with."""
    compared = from_project(str(stage.parameters.get("REFERENCE") or "no run")) / "run.json"
    return (
        stage.source.read_text(encoding="utf-8"),
        json.dumps(stage.parameters),
        _digest_file(compared) if compared.is_file() else "",
    )


def _find_needs(stage: Stage, names: Iterable[str]) -> list[str]:
    """List the stages whose results a stage reads, out of all stages in order."""
    if stage.batch is None:
        return list(itertools.takewhile(lambda name: name != stage.name, names))
    download = name_stage(DOWNLOAD, stage.batch)
    return [] if stage.name == download else [download]


@functools.cache
def _answers(host: str) -> bool:
    """Whether a host that a notebook had to do without can be reached now."""
    if not host:
        return False
    try:
        socket.create_connection((host, 443), timeout=2).close()
    except OSError:
        return False
    return True


def _is_unchanged(path: Path, size: int, since: float) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_size == size and found.st_mtime <= since


def _digest_file(path: Path) -> str:
    """Digest a file; of a table that says how it was made, only the rest."""
    effort = EFFORT.get(path.parent.name)
    if effort and path.suffix == ".parquet":
        return _digest(pd.read_parquet(path).drop(columns=list(effort)).to_csv(index=False))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


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


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
