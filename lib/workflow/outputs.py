"""Name the files that each notebook of a run writes, and open the manifest that lists them."""

from pathlib import Path

from lib.io import WRITERS, read_json
from lib.io.manifest import Manifest

# Outputs of each notebook in the run's folder.
DOWNLOAD: str = "01_download"
GIVING: str = "04_extraction"  # the previous version gave no tables of answers
READ_STEPS: tuple[str, ...] = ("02_features", "03_ocr")
BATCH_STEPS: dict[str, tuple[str, ...]] = {
    "01_download": ("tables/images/part-{batch:05d}.parquet",),
    "02_features": (
        "tables/features/part-{batch:05d}.npy",
        "tables/features/part-{batch:05d}.parquet",
        "tables/shapes/part-{batch:05d}.parquet",
        "tables/line_segments/part-{batch:05d}.parquet",
    ),
    "03_ocr": (
        "tables/words/part-{batch:05d}.parquet",
        "tables/pages/part-{batch:05d}.parquet",
    ),
}
FINAL_STEPS: dict[str, tuple[str, ...]] = {
    "04_extraction": (
        *("tables/candidates.parquet", "tables/predictions.parquet", "predictions.csv"),
        *("tables/learning_curve.parquet", "tables/ablation.parquet", "tables/products.parquet"),
    ),
    "05_evaluation": (
        "metrics.json",
        "tables/scored_predictions.parquet",
        "tables/profiles.parquet",
    ),
}
BESIDE: dict[str, tuple[str, ...]] = {
    # Written again by every batch, always identical.
    "01_download": ("tables/samples.parquet", "tables/own_columns.parquet"),
    GIVING: tuple(
        f"{name}.{kind}" for name in ("answers", "answers_wide", "products") for kind in WRITERS
    ),
    "05_evaluation": tuple(
        f"tables/{name}.parquet"
        for name in ("ladder", "by_entity", "coverage", "near_duplicates", "map", "suggestions")
    ),
}
"""Files that a notebook may write besides its results and that must stay as it left them."""

AFTER_RECORD: float = 300.0
"""Seconds during which a run still writes its pages after its record."""


def name_stage(step: str, batch: int | None) -> str:
    """Name a notebook's run over one batch, or over all.

    >>> name_stage("03_ocr", 2), name_stage("04_extraction", None)
    ('03_ocr-00002', '04_extraction')
    """
    return step if batch is None else f"{step}-{batch:05d}"


def name_outputs(run_dir: Path, step: str, batch: int | None) -> list[Path]:
    """List the outputs of a notebook: its executed copy, its counts, its results."""
    name = name_stage(step, batch)
    results = (path.format(batch=batch) for path in (BATCH_STEPS | FINAL_STEPS)[step])
    return [run_dir / path for path in (f"notebooks/{name}.ipynb", f"stages/{name}.json", *results)]


def open_manifest(run_dir: Path) -> Manifest:
    """Open the manifest of a run; create it for a run of the previous version, which kept none.

    It lists the files that the run's record names, unless they were changed since.
    """
    manifest = Manifest(run_dir)
    if not manifest.is_valid():
        manifest.begin()
    record = run_dir / "run.json"
    if manifest.list_paths() or not record.is_file():
        return manifest
    latest = record.stat().st_mtime + AFTER_RECORD
    for path in list_outputs(run_dir):
        if path.is_file() and path.stat().st_mtime <= latest:
            manifest.add(path)
    return manifest


def list_outputs(run_dir: Path) -> list[Path]:
    """List the files that a run wrote according to its record, whether they exist or not."""
    stages = read_json(run_dir / "run.json").get("stages")
    rows = stages if isinstance(stages, list) else []  # of a run of any version, or of nobody
    names = [str(row.get("name")) for row in rows if isinstance(row, dict)]
    beside = (path for step, paths in BESIDE.items() if step != GIVING for path in paths)
    paths = [run_dir / name for name in ("index.html", "run.json", *beside)]
    for name in names:
        step, _, batch = name.partition("-")
        if step in BATCH_STEPS | FINAL_STEPS and (batch.isdecimal() or not batch):
            outputs = name_outputs(run_dir, step, int(batch) if batch else None)
            done = run_dir / f"stages/{name}.done"
            paths += [*outputs, outputs[0].with_suffix(".html"), done]
    return paths
