"""Explore a run or some images in a notebook: choose one, see its answer, correct its label."""

import html
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import ipywidgets as widgets
import pandas as pd
from matplotlib.figure import Figure

from lib.evaluation import find_scored_predictions, save_label
from lib.extraction import Scan, guess_probability, open_scans, score_candidates
from lib.io import read_parts
from lib.quantities import parse_quantities
from lib.reports.plots import Row, open_small, plot_page

ALL: str = "all"
MOST_LISTED: int = 500
"""Most samples listed at a time; filters find the others."""
STYLE: str = "<style>.explorer :is(th, td) {padding: 0 1em 0.2em 0; line-height: 1.4}</style>"
SIDE: int = 900
"""Longest side of the image, in pixels."""


class Tables(Protocol):
    """What the explorer shows."""

    @property
    def predictions(self) -> pd.DataFrame:
        """Return the scored predictions, one row a sample, indexed by `sample_id`."""

    @property
    def texts(self) -> pd.Series:
        """Return the text of each image in lower case, by sha256."""

    @property
    def scans(self) -> Mapping[str, Scan]:
        """Return the scanned pages, by sha256."""

    def read_sample(self, sample_id: int | None) -> Row:
        """Read the scored prediction of one sample.

        Raises:
            KeyError: The run has no such sample.
        """
        return self.predictions.loc[[sample_id]].to_dict("records")[0]

    def find(self, entity: str = ALL, outcome: str = ALL, text: str = "") -> pd.DataFrame:
        """Find samples that match all filters.

        Args:
            entity: The entity asked for, or `"all"`.
            outcome: The outcome, or `"all"`.
            text: Part of the index, link, answer, truth or image text; case is ignored.
        """
        rows = self.predictions
        for column, wanted in (("entity_name", entity), ("outcome", outcome)):
            rows = rows if wanted == ALL else rows[rows[column] == wanted]
        wanted = text.strip().lower()
        if not wanted:
            return rows
        columns = ["index", "image_link", "prediction", "entity_value"]
        said = rows[columns].astype(str).agg(" ".join, axis=1).str.lower()
        on_image = rows["sha256"].map(self.texts).fillna("")
        found = said.str.contains(wanted, regex=False)
        return rows[found | on_image.str.contains(wanted, regex=False)]


@dataclass(frozen=True)
class RunTables(Tables):
    """The tables of a finished run that the explorer reads.

    Attributes:
        run_dir: The run's folder.
        engine: The OCR engine whose text is shown.
    """

    run_dir: Path
    engine: str

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Read the scored predictions, one row a sample, indexed by `sample_id`."""
        path = find_scored_predictions(self.run_dir)
        if not path.is_file():
            raise FileNotFoundError(f"No {path}; RUN_DIR must be a finished run.")
        return pd.read_parquet(path).set_index("sample_id", drop=False)

    @cached_property
    def words(self) -> pd.DataFrame:
        """Read all words of the engine."""
        words = read_parts(self.run_dir / "tables/words", "03_ocr.ipynb")
        return words[words["engine"] == self.engine]

    @cached_property
    def texts(self) -> pd.Series:
        """Join the text of each image in lower case, by sha256."""
        return self.words.groupby("sha256")["text"].agg(" ".join).str.lower()

    @cached_property
    def scans(self) -> Mapping[str, Scan]:
        """Open the scanned pages of the engine, by sha256."""
        shapes = read_parts(self.run_dir / "tables/shapes", "02_features.ipynb")
        roundness = dict(zip(shapes["sha256"], shapes["roundness"], strict=True))
        return open_scans(self.run_dir / "tables", self.engine, roundness)


@dataclass(frozen=True)
class ImageTables(Tables):
    """Images that belong to no run, and the answers about them.

    Attributes:
        answers: As from `lib.read`.
        files: `sha256` and `path` of the image of each answer, in the same order.
        pages: sha256 -> the scanned page of each image that was read.
    """

    answers: pd.DataFrame
    files: pd.DataFrame
    pages: Mapping[str, Scan]

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Arrange the answers as those of a run."""
        names = {"image": "image_link", "confidence": "probability", "decision": "outcome"}
        table = self.answers.rename(columns=names).reset_index(drop=True)
        table = table.join(self.files.reset_index(drop=True))
        table = table.assign(entity_value="", has_truth=False, group_id="", split="test")
        table = table.assign(sample_id=table.index, index=table.index.astype(str))
        return table.set_index("sample_id", drop=False)

    @cached_property
    def texts(self) -> pd.Series:
        """Join the text of each image in lower case, by sha256."""
        words = {key: (word.text for word in scan.page.words) for key, scan in self.pages.items()}
        return pd.Series({key: " ".join(one).lower() for key, one in words.items()}, dtype=str)

    @property
    def scans(self) -> Mapping[str, Scan]:
        """Return the scanned pages, by sha256."""
        return self.pages


class Explorer:
    """Widgets that show the answers of a run, or about some images.

    Attributes:
        run: Their tables.
        panel: All widgets, ready to display.
        sample_id: The sample shown, `None` before the first.
    """

    def __init__(self, run: Tables, data_dir: Path, labels: Path) -> None:
        self.run, self.data_dir, self.labels = run, data_dir, labels
        self.sample_id: int | None = None
        rows = self.run.predictions
        self.entity = _choice("Entity", sorted(rows["entity_name"].unique()))
        self.outcome = _choice("Outcome", sorted(rows["outcome"].unique()))
        self.search = widgets.Text(description="Search", placeholder="index, link, answer, text")
        self.samples = widgets.Select(description="Sample", rows=8, layout={"width": "95%"})
        self.found, self.answer, self.tables = (widgets.HTML() for _ in range(3))
        self.image = widgets.Image(format="png", layout={"max_width": "100%"})
        self.truth = widgets.Text(description="Truth", placeholder="12.0 inch, or empty")
        self.save = widgets.Button(description="Save the truth", icon="check")
        self.saved = widgets.HTML()
        self.text = widgets.Text(description="Try a text", layout={"width": "95%"})
        self.parsed = widgets.HTML()
        self._connect()
        self.panel = self._arrange()
        self.list_samples()

    def _connect(self) -> None:
        for control in (self.entity, self.outcome, self.search):
            control.observe(lambda change: self.list_samples(), "value")
        self.samples.observe(lambda change: self._show_chosen(), "value")
        self.text.observe(lambda change: self._parse(), "value")
        self.save.on_click(lambda button: self.save_truth())

    def _arrange(self) -> widgets.Widget:
        filters = widgets.HBox([self.entity, self.outcome, self.search])
        label = widgets.HBox([self.truth, self.save, self.saved])
        look = [self.answer, self.image, label, self.tables]
        parser = [self.text, self.parsed]
        return widgets.VBox([filters, self.found, self.samples, *look, *parser])

    def list_samples(self) -> None:
        """List the samples that match the filters and show the first."""
        rows = self.run.find(self.entity.value, self.outcome.value, self.search.value)
        listed = rows.head(MOST_LISTED)
        self.found.value = f"{len(rows):,} samples, {len(listed):,} listed"
        self.samples.options = [
            (_name_sample(row), int(row["sample_id"])) for row in listed.to_dict("records")
        ]
        self.samples.index = 0 if len(listed) else None

    def _show_chosen(self) -> None:
        if self.samples.value is not None and self.samples.value != self.sample_id:
            self.show(self.samples.value)

    def show(self, sample_id: int) -> None:
        """Show one sample: its image, words, candidates and answer.

        Raises:
            KeyError: The run has no such sample.
        """
        row = self.run.read_sample(sample_id)
        self.sample_id = sample_id
        self.saved.value = ""
        self.truth.value = row["entity_value"]
        self.answer.value = describe_answer(row)
        scan = self.run.scans.get(row["sha256"])
        if scan is None:
            self.image.value = b""
            self.tables.value = "<p>This image was not downloaded or not read.</p>"
            return
        self.image.value = draw_page(self.data_dir / row["path"], scan)
        candidates, words = list_candidates(scan, row["entity_name"]), list_words(scan)
        self.tables.value = (
            f"<h4>Candidates</h4>{_table(candidates)}"
            f"<details open><summary>{len(words)} words</summary>{_table(words)}</details>"
        )

    def save_truth(self) -> None:
        """Save the typed truth in the file of labels."""
        row = self.run.read_sample(self.sample_id)
        try:
            save_label(self.labels, row, self.truth.value.strip())
        except ValueError as error:
            self.saved.value = f"Not saved: {html.escape(str(error))}"
            return
        self.saved.value = f"Saved in {html.escape(self.labels.name)}."

    def _parse(self) -> None:
        mentions = parse_quantities(self.text.value)
        rows = [one._asdict() | {"quantity": str(one.quantity)} for one in mentions]
        self.parsed.value = _table(pd.DataFrame(rows))


def describe_answer(row: Row) -> str:
    """Format the question, answer, truth and outcome as HTML."""
    truth = (row["entity_value"] or "nothing") if row["has_truth"] else "not known"
    said = {
        "asked": row["entity_name"].replace("_", " "),
        "answer": f"{row['prediction'] or 'nothing'} ({row['probability']:.2f})",
        "runner-up": row["runner_up"] or "none",
        "truth": truth,
        "outcome": row["outcome"],
        "because": row["reason"],
    }
    return "<br>".join(f"{name}: <b>{html.escape(str(value))}</b>" for name, value in said.items())


def list_candidates(scan: Scan, entity: str) -> pd.DataFrame:
    """List the candidates for a question, the best first, with the reasons for and against each.

    Returns:
        One row a candidate: `quantity`, `probability` and `score` (of the rules), `line` (its line
        of text), `keywords`, and `reason`.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    scored = score_candidates(scan, entity)
    rows = []
    for i, candidate in enumerate(scored.candidates):
        score, placed = scored.scores[i], candidate.placed
        keywords = ", ".join(f"{meaning} ({position})" for position, meaning in placed.keywords)
        numbers = (round(guess_probability(score), 3), placed.line.text, keywords, score)
        rows.append((str(candidate.quantity), *numbers, scored.tell_reason(i)))
    columns = ["quantity", "probability", "line", "keywords", "score", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return table.round({"score": 2})


def list_words(scan: Scan) -> pd.DataFrame:
    """List all words that were read, the most confident first."""
    rows = [(w.text, round(w.confidence, 3), round(w.angle), w.source) for w in scan.page.words]
    table = pd.DataFrame(rows, columns=["text", "confidence", "angle", "pass"])
    return table.sort_values("confidence", ascending=False, ignore_index=True)


def draw_page(path: Path, scan: Scan) -> bytes:
    """Draw an image with its words, quantities and line segments, as PNG bytes."""
    pixels, scale = open_small(path, SIDE)
    figure = Figure(figsize=(8, 8 * pixels.shape[0] / pixels.shape[1]), layout="tight")
    plot_page(pixels, scan, scale, figure.subplots())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _choice(name: str, options: list[str]) -> widgets.Dropdown:
    return widgets.Dropdown(description=name, options=[ALL, *options])


def _name_sample(row: Row) -> str:
    """Format a sample for the list.

    >>> _name_sample({"index": "7", "entity_name": "width", "prediction": "", "outcome": "missed"})
    '7: width, nothing, missed'
    """
    return (
        f"{row['index']}: {row['entity_name']}, {row['prediction'] or 'nothing'}, {row['outcome']}"
    )


def _table(table: pd.DataFrame) -> str:
    return STYLE + table.to_html(index=False, border=0, classes="explorer", justify="left")
