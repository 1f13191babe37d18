"""Write a run's front page: scores, figures, example answers and settings in one file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.evaluation import Interval, find_scored_predictions, headline_rows
from lib.extraction import read_study
from lib.io import WRITERS, find_title, from_project, read_json
from lib.reports import charts
from lib.reports.answer_cards import Card, choose_rows, make_cards, try_thumbnail
from lib.reports.answer_list import list_answers
from lib.reports.captions import describe_gains
from lib.reports.charts import Chart
from lib.reports.conflicts import list_conflicts, show_conflicts
from lib.reports.notebook_page import read_notebook
from lib.reports.past_runs import Record, read_headline
from lib.reports.plots import Row, open_thumbnails
from lib.reports.rendering import render_page

DRAWN: int = 20
"""Images drawn on the map."""
PAIRS: int = 4
"""Pairs of near duplicates shown."""


@dataclass(frozen=True)
class Results:
    """The results of a finished run; a table that it did not write is empty.

    Attributes:
        metrics: Content of `metrics.json`.
        predictions: Scored predictions of the method that answers, one row a sample.
        tables: Name -> table.
        study: From `lib.extraction.read_study`.
        data_dir: Folder that relative paths of images start from.
    """

    metrics: Record
    predictions: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    study: tuple[str, pd.DataFrame, pd.DataFrame]
    data_dir: Path

    @property
    def shown(self) -> pd.DataFrame:
        """Select the rows of the headline, the test rows if no truth is known, or all rows."""
        judged = headline_rows(self.predictions)
        return judged if len(judged) else self.asked

    @property
    def asked(self) -> pd.DataFrame:
        """Select the rows that the run gives answers for: the test rows if there are any."""
        asked = self.predictions[self.predictions["split"] == "test"]
        return asked if len(asked) else self.predictions


TABLES: frozenset[str] = frozenset(
    {"candidates", "coverage", "map", "near_duplicates", "products", "profiles", "suggestions"}
)
GIVEN: dict[str, str] = {
    f"{name}.{kind}": what
    for name, what in {
        "answers": "with confidence and reason",
        "answers_wide": "one row an image",
        "products": "one row a product and question",
    }.items()
    for kind in WRITERS
}
"""Files of answers that a run may give, and what is in them."""


def write_run_page(run_dir: Path) -> Path:
    """Write a run's front page from its folder, whether the run is complete or not.

    Returns:
        `index.html` in the folder.
    """
    record = read_json(run_dir / "run.json")
    results = read_results(run_dir, record)
    metrics = results.metrics if results else {}
    return render_page(
        "index.html.j2",
        run_dir / "index.html",
        record=record,
        metrics=metrics,
        headline=read_headline(metrics),
        **show_results(results, record, run_dir),
        pages=list_pages(run_dir),
        has_runs=(run_dir.parent / "index.html").is_file(),
        has_predictions=(run_dir / "predictions.csv").is_file(),
        given={name: what for name, what in GIVEN.items() if (run_dir / name).is_file()},
    )


def read_results(run_dir: Path, record: Record) -> Results | None:
    """Read a run's results; `None` if it did not finish, as its tables may be incomplete."""
    metrics = read_json(run_dir / "metrics.json")
    if record["status"] != "finished" or not metrics:
        return None
    predictions = _read_table(find_scored_predictions(run_dir))
    tables = {name: _read_table(run_dir / f"tables/{name}.parquet") for name in TABLES}
    data_dir = from_project(str(record["parameters"]["DATA_DIR"]))
    return Results(metrics, predictions, tables, read_study(run_dir), data_dir)


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()


def show_results(results: Results | None, record: Record, run_dir: Path) -> dict[str, object]:
    """Make the parts that only the page of a finished run has."""
    if results is None:
        return {"charts": {}, "galleries": {}, "pairs": [], "splits": []}
    tables = results.tables
    return {
        "charts": draw_charts(results, record),
        "galleries": fill_galleries(results, record),
        "gains_said": describe_gains(pd.DataFrame(results.metrics.get("gains", []))),
        "listed": list_answers(results.predictions),
        "pairs": show_pairs(results),
        "splits": count_splits(results.predictions),
        "products": len(tables["products"]),
        "contradicted": len(list_conflicts(tables["products"])),
        "conflicts": show_conflicts(
            tables["products"], results.asked, tables["candidates"], results.data_dir, run_dir
        ),
    }


def draw_charts(results: Results, record: Record) -> dict[str, list[Chart]]:
    """Draw the figures of each section that has data."""
    tables, metrics = results.tables, results.metrics
    sections: dict[str, list[Chart]] = {}
    if read_headline(metrics):
        sections |= draw_scores(results)
    elif not metrics.get("drift"):
        answers = charts.take_answers(results.predictions)
        chart = charts.chart_probabilities(answers["probability"], answers["split"])
        sections["confidence"] = [chart]
    if len(tables["map"]) > 2:
        sections["images"] = [draw_map(results)]
    if metrics.get("drift"):
        sections["drift"] = charts.chart_drift(tables["profiles"])
    whose, learning, ablation = results.study
    model = [charts.chart_learning(learning, whose), charts.chart_ablation(ablation, whose)]
    return sections | {"model": model}


def draw_map(results: Results) -> Chart:
    """Draw the map of images, those of the test rows in the first colour."""
    order = results.tables["map"]["split"].map({"test": 0, "train": 1}).fillna(2)
    placed = results.tables["map"].iloc[order.argsort(kind="stable")].reset_index(drop=True)
    images = open_thumbnails(placed["path"], results.data_dir, DRAWN)
    return charts.chart_map(placed, results.metrics["variance"], images)


def draw_scores(results: Results) -> dict[str, list[Chart]]:
    """Draw the figures that need a truth."""
    metrics, judged = results.metrics, results.shown
    by_entity = pd.DataFrame.from_dict(metrics["by_entity"], orient="index")
    by_entity = by_entity.rename_axis("entity_name").reset_index()
    return {
        "methods": [charts.chart_ladder(pd.DataFrame(metrics["ladder"]), metrics["method"])],
        "entities": [charts.chart_entities(by_entity)],
        "losses": [charts.chart_losses(pd.Series(metrics["losses"]))],
        "confidence": [
            charts.chart_reliability(judged, read_calibration(metrics)),
            charts.chart_coverage(results.tables["coverage"]),
        ],
        "units": [charts.chart_units(judged)],
    }


def read_calibration(metrics: Record) -> Interval:
    """Read the expected calibration error, NaN without a judged answer."""
    return Interval(*(metrics.get("calibration") or [math.nan] * 3))


def fill_galleries(results: Results, record: Record) -> dict[str, list[Card]]:
    """Make the cards of the example answers, by title."""
    groups = choose_rows(results.shown, record["parameters"]["SEED"])
    if len(results.tables["suggestions"]):
        groups["The most valuable rows to label"] = results.tables["suggestions"]
    return {
        title: make_cards(rows, results.tables["candidates"], results.data_dir)
        for title, rows in groups.items()
    }


def show_pairs(results: Results) -> Sequence[Row]:
    """List the most similar train and test images: both thumbnails and their similarity."""
    pairs = results.tables["near_duplicates"].head(PAIRS).to_dict("records")
    for pair in pairs:
        for side in ("train", "test"):
            pair[side] = try_thumbnail(pair[f"path_{side}"], results.data_dir)
    return pairs


def count_splits(predictions: pd.DataFrame) -> list[dict[str, object]]:
    """Count samples, images, groups, truths and answers of each split."""
    return [
        {
            "name": name,
            "samples": len(rows),
            "images": rows["image_link"].nunique(),
            "groups": rows["group_id"].nunique(),
            "truths": int(rows["has_truth"].sum()),
            "without": int((~rows["downloaded"]).sum()),
            "answered": float((rows["prediction"] != "").mean()),
        }
        for name, rows in predictions.groupby("split", sort=False)
    ]


def list_pages(run_dir: Path) -> list[dict[str, str]]:
    """List the notebooks' pages: name, title and address relative to the run's folder."""
    pages = []
    for notebook in sorted((run_dir / "notebooks").glob("[0-9]*.ipynb")):
        title = find_title(read_notebook(notebook))
        address = f"notebooks/{notebook.stem}.html"
        pages.append({"name": notebook.stem, "title": title, "address": address})
    return pages
