"""Join a run's predictions with their images and truths, and score each."""

from pathlib import Path

import pandas as pd

from lib.evaluation.outcomes import name_losses, name_outcome
from lib.io import find_errors, read_parts, read_table
from lib.parallel import InternalError, report_internal_errors, try_item

UNKNOWN: str = "truth not known"
# The second is the name in runs of version 0.1.
_FILES: tuple[str, ...] = ("tables/scored_predictions.parquet", "tables/verdicts.parquet")


def find_scored_predictions(run_dir: Path) -> Path:
    """Return the path of a run's table of scored predictions, whether it exists or not."""
    paths = [run_dir / name for name in _FILES]
    return next((path for path in paths if path.is_file()), paths[0])


def read_scored_predictions(run_dir: Path) -> pd.DataFrame:
    """Join samples, images, pages and predictions of a run and score each prediction.

    Args:
        run_dir: The run's folder.

    Returns:
        One row a sample and method, methods in the order of the predictions: all columns of the
        samples (`has_truth` included) and of the predictions, and `path` of the image's file,
        `downloaded`, `read`, `image` (key of the image's content), `outcome` and `loss`
        (`"truth not known"` where it is not), and `fault` (why scoring failed, `""` where it did
        not).

    Raises:
        FileNotFoundError: An earlier notebook was not run; the message names it.
    """
    tables = run_dir / "tables"
    samples = mark_truth(read_table(tables / "samples.parquet", "01_download.ipynb"))
    images = read_parts(tables / "images", "01_download.ipynb")
    pages = read_parts(tables / "pages", "03_ocr.ipynb")
    predictions = read_table(tables / "predictions.parquet", "04_extraction.ipynb")
    own = [name for name in predictions if name == "sample_id" or name not in samples]
    joined = predictions[own].merge(samples, on="sample_id", validate="many_to_one")
    return score_predictions(join_images(joined, images, pages))


def mark_truth(samples: pd.DataFrame) -> pd.DataFrame:
    """Add `has_truth` if the table lacks it: a split without any value is unlabelled.

    >>> mark_truth(pd.DataFrame({"split": ["train", "train", "test"],
    ...     "entity_value": ["1 volt", "", ""]}))["has_truth"].tolist()
    [True, True, False]
    """
    if "has_truth" in samples:
        return samples
    filled = samples["entity_value"] != ""
    return samples.assign(has_truth=filled.groupby(samples["split"]).transform("any"))


def join_images(
    predictions: pd.DataFrame, images: pd.DataFrame, pages: pd.DataFrame
) -> pd.DataFrame:
    """Add each prediction's image file, and whether it was downloaded and read."""
    files = images.drop_duplicates("link").set_index("link")[["path", "sha256", "status"]]
    found = files.reindex(predictions["image_link"]).set_index(predictions.index)
    read = pages.loc[pages["status"] == "ok"]
    engines = predictions.get("engine", pd.Series(None, predictions.index, dtype=object))
    asked = pd.MultiIndex.from_arrays([found["sha256"], engines])
    by_this = asked.isin(pd.MultiIndex.from_frame(read[["sha256", "engine"]]))
    by_any = found["sha256"].isin(read["sha256"])
    downloaded = found["status"] == "ok"
    return predictions.assign(
        path=found["path"].where(downloaded, ""),
        image=found["sha256"].where(downloaded, predictions["image_link"]),
        downloaded=downloaded,
        read=by_any.where(engines.isna(), by_this),  # a missing engine matches any
    )


def score_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Add `outcome` and `loss` to each prediction.

    After an unexpected error, `fault` holds its reason and the truth counts as not known.

    Raises:
        StageFault: Every prediction failed with the same unexpected error.
    """
    pairs = zip(predictions["entity_value"], predictions["prediction"], strict=True)
    found = [try_item(name_outcome, truth, said) for truth, said in pairs]
    errors = find_errors(predictions, found)
    report_internal_errors("judging answers", errors, predictions["sample_id"].nunique())
    faults = [name.reason if isinstance(name, InternalError) else "" for name in found]
    judged = predictions.assign(fault=pd.Series(faults, predictions.index, dtype=str))
    known = judged["has_truth"] & (judged["fault"] == "")
    names = pd.Series(found, judged.index, dtype=object).where(known, UNKNOWN).astype(str)
    losses = name_losses(names, judged["downloaded"], judged["read"])
    return judged.assign(has_truth=known, outcome=names, loss=losses.where(known, UNKNOWN))


def headline_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of the headline: the test rows if their truth is known, else the train rows.

    Train rows are valid here: each was predicted by a method that was not fitted on it.
    """
    known = predictions[predictions["has_truth"]]
    test = known[known["split"] == "test"]
    return test if len(test) else known


def wide_outcomes(predictions: pd.DataFrame, sample_ids: pd.Series) -> pd.DataFrame:
    """Pivot the outcomes of some samples: samples in rows, methods in columns."""
    chosen = predictions[predictions["sample_id"].isin(sample_ids)]
    table = chosen.pivot(index="sample_id", columns="method", values="outcome")
    return table[list(chosen["method"].unique())]
