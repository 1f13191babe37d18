"""Notebook 01 over a folder that holds one image of each format."""

from pathlib import Path

import pandas as pd

from lib.download.image_files import EXTENSIONS
from lib.io import PROJECT
from lib.tests.drawing import make_image
from lib.tests.in_process import run_notebook

NOTEBOOK = PROJECT / "notebooks/01_download.ipynb"
# Other files that a folder of images has; how the reason begins.
OTHERS = {
    "leaflet.pdf": (b"%PDF-1.7\n", "not an image we read: a PDF document"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    "layers.psd": (b"8BPS\0\1", "not an image we read: a Photoshop file"),
    "scan.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n", "not an image we read: a JPEG 2000 image"),
    "notes.txt": (b"width 12 cm", "not an image we read: it begins with b'width 12 cm'"),
    "empty.png": (b"", "empty body"),
    "half.png": (make_image(1, "PNG")[:500], "damaged image"),
}


def test_a_folder_of_every_format(tmp_path: Path) -> None:
    """Every format becomes a row with its size, and every other file one with its reason."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for kind in EXTENSIONS:
        (photos / f"{kind}.dat").write_bytes(make_image(kind=kind))
    for name, (data, _) in OTHERS.items():
        (photos / name).write_bytes(data)
    names = sorted(path.name for path in photos.iterdir())
    table = pd.DataFrame({"index": names, "image_link": [f"photos/{name}" for name in names]})
    table.assign(group_id="1", entity_name="width").to_csv(tmp_path / "test.csv", index=False)
    files = {"TRAIN_CSV": "", "TEST_CSV": str(tmp_path / "test.csv")}
    folders = {"RUN_DIR": str(tmp_path / "run"), "DATA_DIR": str(tmp_path / "data")}
    shown = run_notebook(NOTEBOOK, {**files, **folders})
    assert f"**{len(EXTENSIONS)} of {len(names)} links gave a complete image**" in shown[-1]
    images = pd.read_parquet(tmp_path / "run/tables/images").set_index("link")
    for kind in EXTENSIONS:
        row = images.loc[f"photos/{kind}.dat"]
        assert (row["status"], row["width"], row["height"]) == ("ok", 40, 40), (kind, row["reason"])
    for name, (_, reason) in OTHERS.items():
        assert images.loc[f"photos/{name}", "reason"].startswith(reason)
