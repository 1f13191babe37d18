"""Write a page for reviewing answers one by one, by keyboard and without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from lib.io import replace_file
from lib.quantities import ENTITIES, list_spellings
from lib.reports.rendering import TEMPLATES, render
from lib.reports.review_rows import NOT_STATED, Heading, ReviewRow

KEYS: dict[str, str] = {
    "Enter": "take the marked answer",
    "C": "mark the next candidate",
    "N": "not stated",
    "T": "type it, Enter to take it, Esc to leave",
    "→ or J": "next row",
    "← or K": "row before",
    "U": "undo this row",
    "S": "save the CSV file",
}
"""What each key does."""


def write_review_page(path: Path, run: str, rows: Sequence[ReviewRow], command: str) -> Path:
    """Write the page.

    Args:
        path: Where to write it; the CSV file that it saves has the same name.
        run: Name of the run.
        rows: The rows in order.
        command: How to read the CSV file.
    """
    with replace_file(path) as temporary:
        temporary.write_text(
            render(
                "review.html.j2",
                run=run,
                count=len(rows),
                command=command,
                keys=KEYS,
                data=gather_data(path.stem, run, rows),
                review_script=(TEMPLATES / "review.js").read_text(encoding="utf-8"),
            ),
            encoding="utf-8",
        )
    return path


def gather_data(name: str, run: str, rows: Sequence[ReviewRow]) -> dict[str, object]:
    """Gather what the script of the page needs; each image is there once."""
    named = "\n".join(f"{row.sha256} {row.entity} {row.answer}" for row in rows)
    return {
        "name": f"{name}.csv",
        "key": f"review {run} {hashlib.sha256(named.encode()).hexdigest()[:16]}",
        "not_stated": NOT_STATED,
        "headings": [
            Heading.QUESTION,
            Heading.ANSWER,
            Heading.CORRECT,
            Heading.INDEX,
            Heading.IMAGE,
        ],
        "units": {entity.replace("_", " "): [*list_spellings(entity)] for entity in ENTITIES},
        "images": {row.sha256: _link(row.views.image) for row in rows},
        "rows": [_describe(row) for row in rows],
    }


def _describe(row: ReviewRow) -> dict[str, object]:
    """Describe a row for the script."""
    about = {
        Heading.CONFLICT: row.conflict,
        "read": row.text,
        Heading.RUNNER_UP: row.runner_up,
        Heading.REASON: row.reason,
        Heading.DECISION: row.decision,
        Heading.INDEX: row.index,
    }
    return {
        Heading.QUESTION: row.question,
        Heading.ANSWER: row.answer or NOT_STATED,
        Heading.INDEX: row.index,
        Heading.IMAGE: row.sha256,
        "confidence": row.confidence,
        "choices": row.choices,
        "crop": _link(row.views.crop),
        "outline": row.views.outline,
        "about": [pair for pair in about.items() if pair[1]],
    }


def _link(file: bytes) -> str:
    """Encode a JPEG file as a `data:` URL, `""` for none."""
    return "data:image/jpeg;base64," + base64.b64encode(file).decode() if file else ""
