"""A finished run with images to look at, and a workbook's cells filled in, for tests of reviews."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pandas as pd
import pytest

from lib.io.files import read_json, write_json, write_table
from lib.ocr.page_table import CORNERS
from lib.tests.labelled_run import tell_dose, tell_net, write_labelled_run

SOFFICE: str | None = shutil.which("soffice")
needs_office = pytest.mark.skipif(not SOFFICE, reason="there is no LibreOffice on this machine")

BOX = (40, 60, 200, 60, 200, 90, 40, 90)
RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def write_reviewed_run(folder: Path, count: int = 8, **changes: object) -> Path:
    """Write a finished run over images of labels; each fourth row has no answer.

    Args:
        folder: The run's folder; images lie in `data` beside it.
        count: Rows, an image each.
        changes: Columns of the scored predictions that differ from the usual ones.
    """
    write_labelled_run(folder, count)
    path = folder / "tables/scored_predictions.parquet"
    rows = pd.read_parquet(path)
    silent = rows.index % 4 == 3
    usual = {
        "prediction": rows["prediction"].mask(silent, ""),
        "path": [f"images/{number}.png" for number in rows.index],
        "surface": [f"Net weight {number + 90} g" for number in rows.index],
        "runner_up": [tell_dose(number) for number in rows.index],
        "reason": "only quantity",
        "confidence": np.linspace(0.9, 0.1, count),  # the last row is the least sure
        "decision": np.where(silent, "silent", "answered"),
        **{name: float(value) for name, value in zip(CORNERS, BOX, strict=True)},
    }
    write_table(rows.assign(**usual | changes), path)
    seen = [
        {"sample_id": number, "quantity": quantity}
        for number in rows.index
        for quantity in (tell_dose(number), tell_net(number), "7.5 kilogram")
    ]
    write_table(pd.DataFrame(seen), folder / "tables/candidates.parquet")
    data = folder.parent / "data"
    for number in rows.index:
        draw_image(data / f"images/{number}.png", f"Net {number + 90} g")
    record = read_json(folder / "run.json")
    record["parameters"]["DATA_DIR"] = str(data)
    write_json(record, folder / "run.json")
    return folder


def draw_image(path: Path, text: str) -> None:
    """Draw an image with a text in `BOX`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((400, 500, 3), 240, np.uint8)
    cv2.putText(pixels, text, (45, 85), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (60, 30, 10), 2)
    cv2.imwrite(str(path), pixels)


def fill_in(book: Path, entries: Mapping[str, str], target: Path, sheet: int = 1) -> Path:
    """Write texts into cells of a workbook's sheet, all else left as it is.

    Args:
        book: The workbook, whose cells are there and empty.
        entries: Cell, such as `E2` -> text.
        target: Where to write it.
        sheet: Number of the sheet, from 1.
    """
    name = f"xl/worksheets/sheet{sheet}.xml"
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == name:
                content = _set_cells(content.decode(), entries).encode()
            new.writestr(item, content)
    return target


def _set_cells(xml: str, entries: Mapping[str, str]) -> str:
    for cell, text in entries.items():
        written = f't="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        xml, count = re.subn(rf'(<c r="{cell}" s="\d+" ?)/>', rf"\g<1> {written}", xml)
        assert count == 1, cell
    return xml


def read_sheet(book: Path, name: str = "review") -> pd.DataFrame:
    """Read a sheet of a workbook as text."""
    table = pd.read_excel(book, sheet_name=name, dtype=str, engine="calamine")
    return table.fillna("")


def save_by_office(book: Path, folder: Path, kind: str = "xlsx") -> Path:
    """Let LibreOffice open a workbook, calculate it, and save it in a folder."""
    profile = folder / "profile/user"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "registrymodifications.xcu").write_text(RECALCULATE)
    home = f"-env:UserInstallation={profile.parent.resolve().as_uri()}"
    command = [SOFFICE, home, "--headless", "--convert-to", kind, "--outdir", folder, book]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return folder / book.with_suffix(f".{kind}").name
