"""List a run's answers for the search on its page."""

import json

import numpy as np
import pandas as pd

from lib.evaluation import WRONG

MOST_ROWS: int = 5000
"""Most answers on a page, about 1 MB; the run's table of answers has all."""
COLUMNS: dict[str, str] = {
    "index": "row",
    "entity_name": "entity",
    "prediction": "answer",
    "probability": "confidence",
    "outcome": "outcome",
    "entity_value": "truth",
    "surface": "read",
    "runner_up": "runner-up",
    "reason": "because",
    "split": "table",
    "group_id": "group",
    "image_link": "image",
}
"""Column of the scored predictions -> its heading on the page."""


def list_answers(predictions: pd.DataFrame) -> dict[str, object]:
    """List answers for the page's script.

    Args:
        predictions: Scored predictions, one row a sample.

    Returns:
        `columns` (headings), `rows` (values in the order of the table) and `total`, the number of
        predictions. Of more than `MOST_ROWS`, wrong answers are kept first, then the least
        confident ones; samples without an answer come last.
    """
    harmless = ~predictions["outcome"].isin(WRONG)
    order = np.lexsort((predictions["probability"], predictions["prediction"] == "", harmless))
    kept = predictions.iloc[np.sort(order[:MOST_ROWS])]
    table = kept.reindex(columns=list(COLUMNS)).rename(columns=COLUMNS)
    table["truth"] = table["truth"].where(kept["has_truth"])
    rows = json.loads(table.to_json(orient="values", double_precision=4))  # missing values are null
    return {"columns": list(table), "rows": rows, "total": len(predictions)}
