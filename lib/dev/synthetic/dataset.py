"""Generate the synthetic sample: draw the scenes, choose the questions, write the files."""

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.dev.synthetic import drawings, infographics, labels, tables
from lib.dev.synthetic.contents import Content, read_contents
from lib.dev.synthetic.damage import damage, encode
from lib.dev.synthetic.layouts import ROUGH, draw_page
from lib.dev.synthetic.scenes import Draw, Drawing, between, chance

KINDS: dict[str, Draw] = drawings.KINDS | labels.KINDS | tables.KINDS | infographics.KINDS
# Kinds that may be mirrored; tables and lists read from the left.
MIRRORED = (set(drawings.KINDS) - {"legend"}) | {"load", "appliance"}
COLUMNS = ("index", "image_link", "group_id", "entity_name", "entity_value")
EACH: dict[str, int] = {"train": 3, "test": 2}  # images of each kind in each table
# Kinds with more or fewer: packages hold much text, images without text teach little.
OTHERS: dict[str, dict[str, int]] = {
    "pouch": {"train": 5, "test": 3},
    "liquid": {"train": 5, "test": 3},
    "load": {"train": 5, "test": 4},
    "doses": {"train": 1, "test": 1},
    "views": {"train": 2, "test": 1},
    "battery": {"train": 2, "test": 2},
    "legend": {"train": 2, "test": 1},
    "plain": {"train": 2, "test": 2},
}
LEAST_TEXT = 13  # pixels of font size; digits are 0.7 of that
TRIES = 60  # attempts at a drawing without colliding texts, before an error


@dataclass(frozen=True)
class Picture:
    """One finished image with its questions.

    Attributes:
        name: File name.
        content: The file's bytes.
        group_id: Images of one kind in one table form a group.
        truths: Entity -> answer in the official format, `""` if the image does not state it.
    """

    name: str
    content: bytes
    group_id: int
    truths: dict[str, str]


def draw_scene(kind: str, rng: np.random.Generator) -> Drawing:
    """Draw a scene, and redraw it until no text collides.

    Raises:
        ValueError: Every attempt had colliding texts.
    """
    for _ in range(TRIES):
        scene = KINDS[kind](rng)
        if scene.canvas.clashes == 0:
            return scene
    raise ValueError(
        f"{kind}: expected a drawing without colliding texts, found none in {TRIES} tries; "
        "make its texts smaller or its places wider"
    )


def pick_questions(scene: Drawing, rng: np.random.Generator) -> dict[str, str]:
    """Choose the questions: two or three stated entities, and often one that is not stated."""
    stated, absent = list(scene.stated), list(scene.absent)
    rng.shuffle(stated)
    rng.shuffle(absent)
    stated = stated[: 2 + chance(rng, 0.35)]
    empty = absent[: 1 + chance(rng, 0.2)] if stated else absent[:2]
    if len(stated) > 1 and chance(rng, 0.35):
        empty = []
    return {name: scene.stated[name].truth for name in stated} | dict.fromkeys(empty, "")


def least_width(scene: Drawing) -> float:
    """Return the width in pixels at which the smallest text is `LEAST_TEXT` pixels tall."""
    sizes = [look.size for _, _, look, _ in scene.canvas.texts]
    return LEAST_TEXT * scene.canvas.size[0] / min(sizes) if sizes else 0


def make_picture(kind: str, split: str, number: int, seed: int) -> Picture:
    """Draw, damage and compress one image; the same arguments give the same bytes."""
    rng = np.random.default_rng([seed, digest(f"{kind}/{split}/{number}")])
    scene = draw_scene(kind, rng)
    mirror = kind in MIRRORED and chance(rng, 0.4)
    width = between(rng, 400, 520, 20) if chance(rng, 0.25) else between(rng, 540, 1040, 20)
    picture = scene.canvas.finish(int(max(width, least_width(scene))), mirror)
    content, ending = encode(damage(picture, rng, scene.rough), rng)
    name = f"{kind}_{split}_{number}.{ending}"
    return Picture(name, content, number_group(kind, split), pick_questions(scene, rng))


def make_page(content: Content, seed: int) -> Picture:
    """Draw, damage and compress a page written by hand; all eight questions are asked of it."""
    rng = np.random.default_rng([seed, digest(content.name)])
    page = draw_page(content).finish(content.size[0])
    file, ending = encode(damage(page, rng, content.kind in ROUGH), rng)
    group_id = number_group(content.kind, content.split)
    return Picture(f"{content.name}.{ending}", file, group_id, dict(content.truths))


def number_group(kind: str, split: str) -> int:
    """Number the group of all images of a kind in one table."""
    return 100_000 + digest(f"{kind}/{split}") % 900_000


def digest(text: str) -> int:
    """Turn a text into a number that is the same in each process."""
    return zlib.crc32(text.encode())


def make_pictures(split: str, seed: int) -> list[Picture]:
    """Make all images of one table: the random scenes, then the pages written by hand."""
    scenes = [
        make_picture(kind, split, number, seed)
        for kind in KINDS
        for number in range(OTHERS.get(kind, EACH)[split])
    ]
    return scenes + [make_page(page, seed) for page in read_contents() if page.split == split]


def list_rows(pictures: list[Picture], first_index: int = 0) -> list[tuple]:
    """List the table's rows in the order of `COLUMNS`."""
    rows = [
        (f"images/{picture.name}", picture.group_id, entity, truth)
        for picture in pictures
        for entity, truth in picture.truths.items()
    ]
    return [(first_index + at, *row) for at, row in enumerate(rows)]


def write_sample(out: Path, seed: int = 0) -> dict[str, int]:
    """Write `images/`, `train.csv` and `test.csv`; return the number of rows of each table."""
    folder, counts, first = out / "images", {}, 0
    folder.mkdir(parents=True, exist_ok=True)
    for split in EACH:
        pictures = make_pictures(split, seed)
        for picture in pictures:
            (folder / picture.name).write_bytes(picture.content)
        rows = list_rows(pictures, first)
        write_table(out / f"{split}.csv", rows)
        counts[split], first = len(rows), first + len(rows)
    return counts


def write_table(path: Path, rows: list[tuple]) -> None:
    """Write one table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
