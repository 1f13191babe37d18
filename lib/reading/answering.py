"""Answer questions about images or texts in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lib.extraction import (
    METHODS,
    Candidate,
    Scans,
    decide_answers,
    describe_candidate,
    give_answers,
)
from lib.extraction.learned import answer_by_model, open_model
from lib.io import PROJECT
from lib.ocr import CORNERS
from lib.quantities import ENTITIES, unit_for
from lib.reading.images import ReadImages, open_images
from lib.reading.sources import Named
from lib.reading.texts import lay_out

DATA_DIR: Path = PROJECT / "data"


def read(
    images: Named | Iterable[Named] | pd.DataFrame,
    entities: Sequence[str] = ENTITIES,
    *,
    method: str = "rules",
    model: str = "",
    data_dir: Path = DATA_DIR,
) -> pd.DataFrame:
    """Read the widths, weights, volts and volumes that product images state.

    The code is that of a run, so the answers and confidences are those of a run with the same
    parameters. Models are loaded by the first call and stay loaded; nothing is written.

    >>> from lib import read  # doctest: +SKIP
    >>> read("cup.jpg", ["height", "item_volume"])  # doctest: +SKIP

    Args:
        images: The path of a file or folder, a link, a `PIL.Image`, or a list of these; or a table
            with `image_link`, and perhaps `entity_name` and `group_id`, as runs take it. Relative
            paths start from the current folder.
        entities: What to ask about each image, unless a table says so.
        method: `"rules"` or `"learned"`: who chooses the answers.
        model: File of a fitted model; `""` for the one in `data_dir` or else the shipped one.
        data_dir: Folder that may hold a model of the user's own.

    Returns:
        One row per image and question, in the order given, or with the rows and the index of the
        table. Columns: `image`; `entity_name`; `prediction` (such as `"30.0 centimetre"`, `""` for
        none); `confidence` (0-1, that the answer is right or that the image states none);
        `decision` (`"answered"`, `"silent"`, or `"failed"` if the image could not be read);
        `reason`; `text` (that the answer was read from); `corners` (of that text: x and y in
        pixels, clockwise from its top left); `runner_up` and `runner_up_confidence`.

    Raises:
        ValueError: An entity or the method is unknown, or the model is damaged.
        FileNotFoundError: There is no such model.
    """
    check_request(entities, method)
    if isinstance(images, pd.DataFrame):
        links: pd.Series[str] = images["image_link"].astype(str).str.strip()
        with open_images(links.unique(), expand=False) as found:
            asked = images.assign(image=links, position=pd.factorize(links)[0])
            return answer_images(found, repeat_rows(asked, entities), method, model, data_dir)
    named = [images] if isinstance(images, str | Path | Image.Image) else images
    with open_images(named) as found:
        return answer_images(found, ask_all(found, entities), method, model, data_dir)


def check_request(entities: Iterable[str], method: str) -> None:
    """Check what is asked for.

    Raises:
        ValueError: An entity or the method is unknown.
    """
    unknown = sorted(map(str, set(entities) - {*ENTITIES}))
    if unknown:
        raise ValueError(f"unknown entities {unknown}; known are {', '.join(ENTITIES)}")
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected {' or '.join(METHODS)}")


def ask_all(found: ReadImages, entities: Sequence[str]) -> pd.DataFrame:
    """Ask every question about every image; see `answer_images` for the columns."""
    names = [source.name for source in found.sources]
    rows = pd.DataFrame({"image": names, "position": range(len(names))}).astype({"image": str})
    return repeat_rows(rows, entities).reset_index(drop=True)


def repeat_rows(asked: pd.DataFrame, entities: Sequence[str]) -> pd.DataFrame:
    """Repeat each row for each entity, unless the rows name theirs.

    Raises:
        ValueError: A row names an unknown entity.
    """
    if "entity_name" in asked:
        check_request(asked["entity_name"], METHODS[0])
        return asked
    rows = asked.iloc[np.repeat(np.arange(len(asked)), len(entities))]
    return rows.assign(entity_name=np.tile(np.array(entities, object), len(asked)))


def answer_images(
    found: ReadImages,
    asked: pd.DataFrame,
    method: str = "rules",
    model: str = "",
    data_dir: Path = DATA_DIR,
) -> pd.DataFrame:
    """Answer questions about images that have been read.

    Args:
        found: The images.
        asked: One row per question: `image` (name), `position` (number of the source),
            `entity_name`, and perhaps `group_id`.
        method: As for `read`.
        model: As for `read`.
        data_dir: As for `read`.

    Returns:
        As `read`.

    Raises:
        ValueError: The model is damaged.
        FileNotFoundError: There is no such model.
    """
    sha256 = np.array([source.sha256 for source in found.sources], object)
    why = np.array(found.reasons, object)[asked["position"]]
    named = asked.assign(sha256=np.where(why == "", sha256[asked["position"]], ""))
    table = _answer(named, found.scans, method, model, data_dir)
    table["reason"] = table["reason"].where(why == "", why)
    return table


def answer_texts(
    texts: pd.DataFrame,
    entities: Sequence[str] = ENTITIES,
    method: str = "rules",
    model: str = "",
    data_dir: Path = DATA_DIR,
) -> pd.DataFrame:
    """Answer questions about texts, each laid out as a page without an image.

    Args:
        texts: Column `text`, and perhaps `entity_name`; others are ignored.
        entities: What to ask about each text, unless the table says so.
        method: As for `read`.
        model: As for `read`.
        data_dir: As for `read`.

    Returns:
        As `read`, with `input` in place of `image`.

    Raises:
        ValueError: An entity or the method is unknown, or the model is damaged.
        FileNotFoundError: There is no such model.
    """
    check_request(entities, method)
    pages = {f"text {number}": lay_out(text) for number, text in enumerate(texts["text"])}
    asked = repeat_rows(texts.assign(image=texts["text"], sha256=list(pages)), entities)
    table = _answer(asked, Scans(pages, {}, {}), method, model, data_dir)
    return table.rename(columns={"image": "input"})


def _answer(
    asked: pd.DataFrame, scans: Scans, method: str, model: str, data_dir: Path
) -> pd.DataFrame:
    """Answer as notebook 04 does; see `read`."""
    count = len(asked)
    samples = pd.DataFrame(
        {
            "sample_id": range(count),
            "index": np.arange(count).astype(str),
            "image_link": asked["image"].to_numpy(),
            "group_id": asked["group_id"].to_numpy(str) if "group_id" in asked else "",
            "entity_name": asked["entity_name"].to_numpy(),
            "sha256": asked["sha256"].to_numpy(),
        }
    ).assign(split="test", has_truth=False, product_id="")
    answers = answer_by_model(samples, scans, open_model(model, data_dir, rows=None))[method]
    table = give_answers(decide_answers(answers.assign(answers=True)), samples)["answers"]
    table = table.drop(columns="index").set_axis(asked.index)
    table.insert(0, "image", asked["image"])
    table.insert(1, "entity_name", asked["entity_name"])
    return table


def list_quantities(found: ReadImages) -> pd.DataFrame:
    """List every quantity that was seen, in reading order, whatever it may answer.

    Returns:
        One row per quantity: `image`, `quantity`, `text`, `line` (text of its line), `keywords`,
        `entities` (that it could answer) and the corners in pixels, `x1` to `y4`; of an image that
        could not be read, one row with the reason as `line`.
    """
    rows: list[tuple[object, ...]] = []
    for source, why in zip(found.sources, found.reasons, strict=True):
        if why:
            rows.append((source.name, "", "", why, "", "", *[np.nan] * len(CORNERS)))
            continue
        for placed in found.scans[source.sha256].quantities:
            quantity, text, line, keywords, *corners = describe_candidate(
                Candidate(placed.mention.quantity, placed, 1)
            )
            fitting = (one for one in ENTITIES if unit_for(one, placed.mention.quantity.unit))
            rows.append((source.name, quantity, text, line, keywords, ", ".join(fitting), *corners))
    columns = ["image", "quantity", "text", "line", "keywords", "entities", *CORNERS]
    return pd.DataFrame(rows, columns=columns)
