"""Plan a run: which notebooks run in which order, and which earlier results are still valid."""

import functools
import itertools
import json
import logging
import re
import socket
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

import pandas as pd

from lib.io import from_project, notebook_parameters, read_json, write_json
from lib.io.manifest import Manifest
from lib.workflow.digests import digest, digest_code, digest_content, digest_once, digest_tables
from lib.workflow.outputs import (
    BATCH_STEPS,
    BESIDE,
    DOWNLOAD,
    FINAL_STEPS,
    READ_STEPS,
    name_outputs,
    name_stage,
    open_manifest,
)
from lib.workflow.parameters import Parameters
from lib.workflow.runner import Stage

LOG = logging.getLogger(__name__)

CHANGED, EARLIER = "its inputs have changed", "an earlier result has changed"


class Mark(TypedDict, total=False):
    """What a finished stage leaves: digests of its inputs and outputs, and its seconds."""

    settings: str
    inputs: str
    made: str
    files: dict[str, str]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The stages of one run, in order, and which earlier results are still valid.

    A finished stage leaves a mark that names its inputs (code, tables, parameters, results of
    earlier stages) and its outputs. A result is valid as long as its inputs are unchanged.

    Attributes:
        run_dir: Folder of the run.
        data_dir: Base of image paths.
        keep_images: Whether image files are kept after reading.
        stages: By name, in the order in which they may run.
        settings: Digest of code, tables and parameters, by stage.
    """

    run_dir: Path
    data_dir: Path
    keep_images: bool
    stages: dict[str, Stage]
    settings: dict[str, str]

    def recall(self, stage: Stage) -> float | None:
        """Return the seconds a valid stage took, `None` if it must run; earlier stages are done."""
        mark = self._read_mark(stage)
        holds = self._may_hold(stage) and mark.get("inputs") == self._digest_inputs(stage)
        return mark["seconds"] if holds else None

    def explain(self, stage: Stage) -> str:
        """Return why a stage must run, `""` if its result is valid; earlier stages may have to."""
        mark = self._read_mark(stage)
        if not mark:
            failed = all(path.is_file() for path in (*stage.makes, stage.counts))
            return "failed items are tried again" if failed else "it has no result yet"
        if mark.get("settings") != self.settings[stage.name]:
            return CHANGED
        if damage := self._find_damage(stage, mark):
            return f"{self._name(damage[0])} is missing or was changed"
        if stage.name.startswith(DOWNLOAD) and not self._has_images(stage):
            return "image files are missing or were changed"
        if not self._may_hold(stage):
            return f"{read_json(stage.counts).get('missed') or 'what was missing'} can be reached"
        return "" if self.recall(stage) is not None else EARLIER

    def count_open_batches(self) -> int:
        """Count the batches whose images are not read yet."""
        todo = (stage for stage in self.stages.values() if not self._may_hold(stage))
        return len({stage.batch for stage in todo} - {None})

    def mark_done(self, stage: Stage, seconds: float) -> None:
        """Record on disk that a stage is finished, and its outputs."""
        files = {
            path: self.manifest.add(path) for path in self._list_files(stage) if path.is_file()
        }
        mark: Mark = {
            "settings": self.settings[stage.name],
            "inputs": self._digest_inputs(stage),
            "made": digest(*map(digest_content, stage.makes)),
            "files": {self._name(path): digest for path, digest in files.items()},
            "seconds": seconds,
        }
        write_json(mark, _mark(self.run_dir, stage))

    def clear(self) -> None:
        """Remove outputs of earlier runs that cannot be valid, so that no result is stale."""
        self.manifest.remove_temporaries()
        for stage in self.stages.values():
            if not self._may_hold(stage):
                self._tell_damage(stage)
                self.remove(stage)
        for path in self.manifest.list_paths():
            if self._is_stale(path):
                self.manifest.remove(path)

    def remove(self, stage: Stage) -> None:
        """Remove all outputs of a stage; files changed since are moved aside."""
        pages = (stage.target, stage.target.with_suffix(".html"))
        beside = self._list_beside(stage) if stage.batch is None else ()  # batches share them
        for path in (_mark(self.run_dir, stage), *stage.makes, *pages, stage.counts, *beside):
            self.manifest.remove(path)

    def forget_failures(self) -> None:
        """Forget failures after a complete run, so that the next run retries them."""
        for stage in self.stages.values():
            if stage.batch is not None and read_json(stage.counts).get("failures"):
                self.manifest.remove(_mark(self.run_dir, stage))

    @functools.cached_property
    def manifest(self) -> Manifest:
        """Return the manifest of the run."""
        return open_manifest(self.run_dir)

    def _read_mark(self, stage: Stage) -> Mark:
        return cast(Mark, read_json(_mark(self.run_dir, stage)))

    def _list_files(self, stage: Stage) -> list[Path]:
        """List the files of a stage that must stay unchanged."""
        return [*stage.makes, *self._list_beside(stage), stage.counts, stage.target]

    def _list_beside(self, stage: Stage) -> list[Path]:
        """List what a stage wrote beside its results; other files of such names are not ours."""
        paths = (self.run_dir / name for name in BESIDE.get(stage.source.stem, ()))
        return [path for path in paths if self.manifest.names(path)]

    def _digest_inputs(self, stage: Stage) -> str:
        """Digest the outputs of other stages that this stage reads."""
        before = [self.stages[name] for name in find_needs(stage, self.stages)]
        return digest(*(str(self._read_mark(need).get("made", "")) for need in before))

    def _may_hold(self, stage: Stage) -> bool:
        """Return whether a stage's result exists and its settings are unchanged."""
        mark = self._read_mark(stage)
        return (
            mark.get("settings") == self.settings[stage.name]
            and isinstance(mark.get("seconds"), int | float)
            and not self._find_damage(stage, mark)
            and (not stage.name.startswith(DOWNLOAD) or self._has_images(stage))
            and not _answers(str(read_json(stage.counts).get("missed", "")))
        )

    def _find_damage(self, stage: Stage, mark: Mark) -> list[Path]:
        """List the files of a stage that are missing or changed."""
        known = mark.get("files")
        if not isinstance(known, dict):
            return list(stage.makes)
        missing = [path for path in stage.makes if not path.is_file()]
        changed = [
            path
            for path in (self.run_dir / name for name in known)
            if not path.is_file() or digest_once(path) != known[self._name(path)]
        ]
        return list(dict.fromkeys(missing + changed))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.run_dir).as_posix()

    def _tell_damage(self, stage: Stage) -> None:
        """Log which missing or changed files make a finished stage run again."""
        mark = self._read_mark(stage)
        if mark.get("settings") == self.settings[stage.name]:
            for path in self._find_damage(stage, mark):
                LOG.warning("%s is not as %s left it; it is made again", path, stage.name)

    def _has_images(self, stage: Stage) -> bool:
        """Return whether the image files of a batch are unchanged or no longer needed."""
        seen_at = _mark(self.run_dir, stage).stat().st_mtime
        columns = ["path", "sha256", "bytes", "status", "mtime_ns"]
        table = pd.read_parquet(stage.makes[0], columns=columns)
        ok = table[table["status"] == "ok"]
        if not self.keep_images and self._is_read(stage):
            ok = ok[ok["mtime_ns"] > 0]  # downloaded files may be deleted, local ones must be there
        return all(
            _is_unchanged(self.data_dir / str(row["path"]), row, seen_at)
            for row in ok.to_dict("records")
        )

    def _is_read(self, stage: Stage) -> bool:
        """Return whether a batch's images were read."""
        names = (stage.name.replace(DOWNLOAD, step) for step in READ_STEPS)
        return all(self._may_hold(self.stages[name]) for name in names)

    def _is_stale(self, path: Path) -> bool:
        """Return whether a file belongs to no batch of this run or must be made again."""
        number = re.search(r"-(\d{5})\.\w+$", path.name)
        if not number:
            return False
        download = self.stages.get(name_stage(DOWNLOAD, int(number[1])))
        is_list = path.parent.name == "failed"
        return download is None or (is_list and not download.makes[0].exists())


def make_plan(parameters: Parameters, notebooks: Path, run_dir: Path, batches: int) -> Plan:
    """Make the plan of a run.

    Args:
        parameters: Of the run, checked.
        notebooks: Folder of the numbered notebooks.
        run_dir: Folder of the run, as an interrupted run may have left it.
        batches: Number of batches of distinct links.
    """
    steps: list[tuple[str, int | None]]
    steps = [(step, batch) for batch in range(batches) for step in BATCH_STEPS]
    steps += [(step, None) for step in FINAL_STEPS]
    stages = [_make_stage(step, batch, parameters, notebooks, run_dir) for step, batch in steps]
    base = [digest_code(), digest_tables(parameters)]
    return Plan(
        run_dir,
        from_project(parameters.DATA_DIR).resolve(),
        parameters.KEEP_IMAGES,
        {stage.name: stage for stage in stages},
        {stage.name: digest(*base, *_describe(stage)) for stage in stages},
    )


def _make_stage(
    step: str, batch: int | None, parameters: Parameters, notebooks: Path, run_dir: Path
) -> Stage:
    source = notebooks / f"{step}.ipynb"
    values = parameters.model_dump() | {"BATCH": batch}
    target, counts, *makes = name_outputs(run_dir, step, batch)
    return Stage(
        source=source,
        target=target,
        counts=counts,
        parameters={known: values[known] for known in notebook_parameters(source)},
        makes=tuple(makes),
        batch=batch,
    )


def _mark(run_dir: Path, stage: Stage) -> Path:
    """Return the path of the mark that a finished stage leaves."""
    return run_dir / "stages" / f"{stage.name}.done"


def _describe(stage: Stage) -> tuple[str, ...]:
    """Describe a stage's own inputs: its code, its parameters and the files that these name."""
    return (
        stage.source.read_text(encoding="utf-8"),
        json.dumps(stage.parameters),
        *(digest_content(path) for path in _list_own_inputs(stage.parameters) if path.is_file()),
    )


def _list_own_inputs(parameters: Mapping[str, object]) -> list[Path]:
    """List the files that a stage reads because a parameter names them."""
    reference, weights = (str(parameters.get(name) or "") for name in ("REFERENCE", "WEIGHTS"))
    compared = [from_project(reference) / "tables/profiles.parquet"] if reference else []
    return [*compared, *([from_project(weights)] if weights else [])]


def find_needs(stage: Stage, names: Iterable[str]) -> list[str]:
    """List the stages whose results a stage reads, out of all stages in order."""
    if stage.batch is None:
        return list(itertools.takewhile(lambda name: name != stage.name, names))
    download = name_stage(DOWNLOAD, stage.batch)
    return [] if stage.name == download else [download]


@functools.cache
def _answers(host: str) -> bool:
    """Return whether a host that an earlier run could not reach is reachable now."""
    if not host:
        return False
    try:
        socket.create_connection((host, 443), timeout=2).close()
    except OSError:
        return False
    return True


def _is_unchanged(path: Path, row: Mapping[Hashable, object], seen_at: float) -> bool:
    """Return whether an image file is unchanged; it is hashed only if size or time differ.

    Args:
        path: The file.
        row: With `bytes`, `sha256` and `mtime_ns`, which is 0 for a downloaded file.
        seen_at: When it was last known to be so, in seconds since 1970.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    written_at = row["mtime_ns"]
    same_time = found.st_mtime_ns == written_at if written_at else found.st_mtime <= seen_at
    if found.st_size == row["bytes"] and same_time:
        return True
    return path.is_file() and digest_once(path) == row["sha256"]
