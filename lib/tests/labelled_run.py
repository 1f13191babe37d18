"""Folder of a finished run over labels with two weights, read as a run reads them."""

from pathlib import Path

import numpy as np
import pandas as pd

from lib.extraction.learned.questions import LabelledRows, make_question, make_rows
from lib.extraction.scan import scan_page
from lib.io.files import read_json, write_json, write_table
from lib.ocr.page import Page
from lib.ocr.page_table import tabulate_line_segments, tabulate_words
from lib.tests.drawing import page, word
from lib.tests.past_runs import write_run

ENTITY = "item_weight"


def draw_label(number: int) -> Page:
    """Draw a label with a dose and a net weight."""
    dose, net = number % 7 + 1, number + 90
    return page(word(f"Dose {dose} g", 0, 0), word(f"Net weight {net} g", 0, 40))


def tell_net(number: int) -> str:
    """Tell the net weight on a label."""
    return f"{number + 90}.0 gram"


def tell_dose(number: int) -> str:
    """Tell the dose on a label."""
    return f"{number % 7 + 1}.0 gram"


def make_shipped(count: int = 40, start: int = 1000) -> LabelledRows:
    """Make rows like the shipped ones: the net weight is right, each tenth image states nothing."""
    questions, truths = [], []
    for number in range(start, start + count):
        scan = scan_page(draw_label(number))
        questions.append(make_question(scan, ENTITY, f"image{number}", f"group{number // 2}"))
        truths.append([] if number % 10 == 0 else [tell_net(number)])
    return make_rows(questions, truths, ["dev"] * count)


def write_labelled_run(folder: Path, count: int = 40) -> Path:
    """Write what a finished run over `count` unlabelled images, two a group, leaves behind."""
    names = [f"sha{number}" for number in range(count)]
    probability = np.linspace(0.5, 1, count)
    write_run(
        folder,
        [tell_net(number) for number in range(count)],
        None,
        index=[str(100 + number) for number in range(count)],
        image_link=[f"images/{number}.jpg" for number in range(count)],
        group_id=[f"g{number // 2}" for number in range(count)],
        entity_name=ENTITY,
        sha256=names,
        probability=probability,
    )
    record = read_json(folder / "run.json")
    record["parameters"]["OCR_ENGINES"] = ["rapidocr"]
    write_json(record, folder / "run.json")
    write_parts(folder / "tables", {name: draw_label(i) for i, name in enumerate(names)})
    learned = {"sample_id": range(count), "method": "learned (rapidocr)"}
    write_table(
        pd.DataFrame(learned | {"probability": probability}), folder / "tables/predictions.parquet"
    )
    return folder


def write_parts(tables: Path, pages: dict[str, Page]) -> None:
    """Write the tables of images and of what was read on them, in one part."""
    names = list(pages)
    links = [f"images/{number}.jpg" for number in range(len(names))]
    page_rows = {"engine": "rapidocr", "status": "ok", "width": 500, "height": 400}
    parts = {
        "images": pd.DataFrame({"link": links, "sha256": names, "status": "ok"}),
        "pages": pd.DataFrame({"sha256": names} | page_rows),
        "words": tabulate_words(pages),
        "line_segments": tabulate_line_segments({}),
        "shapes": pd.DataFrame({"sha256": names, "roundness": 0.1}),
    }
    for name, table in parts.items():
        write_table(table, tables / name / "part-00000.parquet")
