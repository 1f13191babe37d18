"""Measure time, memory and contents of whole pipeline runs."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import yaml

from lib.dev.bench.meter import list_processes
from lib.io import PROJECT, write_csv
from lib.quantities import ENTITIES

IMAGES: Path = PROJECT / "data/sample/images"
PARAMETERS: dict[str, object] = yaml.safe_load(
    (PROJECT / "notebooks/params/sample.yaml").read_text(encoding="utf-8")
) | {"TRAIN_CSV": "", "OCR_ENGINES": ["tesseract_plain"], "WEIGHTS": "random"}
LOOK_EVERY: float = 2.0  # seconds; one look takes 0.1 s


@dataclass(frozen=True)
class RunCost:
    """The cost of a run.

    Attributes:
        seconds: Wall-clock time, the start of Python included.
        peak_mib: Peak memory of all its processes together, shared memory counted once.
    """

    seconds: float
    peak_mib: float


@dataclass(frozen=True)
class RunContents:
    """What a run's folder holds.

    Attributes:
        files: Path of each file in the folder.
        figures: Number of figures and images on each page, by its path.
    """

    files: frozenset[str]
    figures: Mapping[str, int]

    @property
    def file_count(self) -> int:
        """Return the number of files."""
        return len(self.files)

    @property
    def figure_count(self) -> int:
        """Return the number of figures on all pages."""
        return sum(self.figures.values())

    def count_kinds(self) -> dict[str, int]:
        """Count the files by the ending of their names, most frequent first."""
        return dict(
            Counter(Path(name).suffix.lstrip(".") or name for name in self.files).most_common()
        )

    def find_missing(self, other: RunContents, left_out: Collection[str] = ()) -> list[str]:
        """Find files that another run lacks, and pages of it that have fewer figures.

        Args:
            other: The other run.
            left_out: Pages whose figures may differ.
        """
        fewer = [
            f"figures of {page}"
            for page, count in self.figures.items()
            if page not in left_out and other.figures.get(page, 0) < count
        ]
        return sorted(self.files - other.files) + fewer


def list_contents(run_dir: Path) -> RunContents:
    """List the files of a run's folder, and count the figures of its pages."""
    files = {str(p.relative_to(run_dir)): p for p in sorted(run_dir.rglob("*")) if p.is_file()}
    figures = {
        name: len(re.findall(r"<(?:svg|img)\b", path.read_text(encoding="utf-8")))
        for name, path in files.items()
        if path.suffix == ".html"
    }
    return RunContents(frozenset(files), figures)


def copy_images(count: int) -> list[bytes]:
    """Repeat the sample's images; a number after the image data makes each copy distinct."""
    files = sorted(IMAGES.iterdir())
    return [files[i % len(files)].read_bytes() + f"{i}".encode() for i in range(count)]


def write_images(folder: Path, contents: Sequence[bytes]) -> None:
    """Write images and a table that asks for each entity of each image."""
    links = [f"{number}.jpg" for number in range(len(contents))]
    for link, content in zip(links, contents, strict=True):
        (folder / link).write_bytes(content)
    write_questions(folder / "test.csv", links)


def write_questions(path: Path, links: Sequence[str]) -> None:
    """Write a table that asks for each entity of each image."""
    rows = [(link, entity) for link in links for entity in ENTITIES]
    table = pd.DataFrame(rows, columns=["image_link", "entity_name"])
    write_csv(table.assign(index=range(len(table)), group_id=0), path)


def run_apart(folder: Path, parameters: Mapping[str, object]) -> RunCost:
    """Run the pipeline as a user does, with a cache of its own.

    Args:
        folder: Of the run; it holds `test.csv`.
        parameters: In addition to `PARAMETERS`.

    Raises:
        RuntimeError: The run failed.
    """
    places = {"TEST_CSV": folder / "test.csv", "RUN_DIR": folder / "run"}
    given = PARAMETERS | places | {"DATA_DIR": folder / "data"} | dict(parameters)
    plain = {name: str(v) if isinstance(v, Path) else v for name, v in given.items()}
    (folder / "run.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    command = [sys.executable, "-m", "lib", "run", str(folder / "run.yaml")]
    start, peak = time.perf_counter(), 0.0
    with (folder / "log").open("w") as log:
        process = psutil.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
        while process.poll() is None:
            peak = max(peak, measure_family(process))
            time.sleep(LOOK_EVERY)
    if process.returncode:
        raise RuntimeError(f"the run failed: {(folder / 'log').read_text()[-2000:]}")
    return RunCost(time.perf_counter() - start, peak)


def measure_family(process: psutil.Process) -> float:
    """Return the memory of a process and its descendants (proportional set size), in MiB."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for member in list_processes(process):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += member.memory_full_info().pss
    return total / 2**20
