"""The sample pictures: the generator repeats itself, and what is committed is sound."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.dev.synthetic.amounts import Amount, Notation
from lib.dev.synthetic.canvas import Canvas, Lettering, LineLook
from lib.dev.synthetic.damage import damage, encode
from lib.dev.synthetic.dataset import (
    COLUMNS,
    EACH,
    KINDS,
    draw_scene,
    list_rows,
    make_picture,
    pick_questions,
    write_sample,
)
from lib.dev.synthetic.fonts import FAMILIES, find_font
from lib.dev.synthetic.scenes import Drawing, between, pick_style
from lib.dev.synthetic.wording import CAPTIONS, LANGUAGES
from lib.io.paths import from_project
from lib.quantities.units import ENTITY_UNITS

SAMPLE = from_project("data/sample")
MEGABYTE = 2**20


def read_rows(split: str) -> list[dict[str, str]]:
    """Read one committed table."""
    with (SAMPLE / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, str]]]:
    """Give both committed tables."""
    return {split: read_rows(split) for split in EACH}


@pytest.fixture(scope="module")
def rows(tables: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """Give all committed rows."""
    return tables["train"] + tables["test"]


# The committed sample


def test_tables_have_the_challenge_columns(rows: list[dict[str, str]]) -> None:
    """Both tables have the same columns, and the index counts all rows."""
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["index"]) for row in rows] == list(range(len(rows)))


def test_tables_have_the_promised_size(tables: dict[str, list[dict[str, str]]]) -> None:
    """About 140 pictures and a few hundred rows."""
    links = {row["image_link"] for split in tables for row in tables[split]}
    assert 130 <= len(links) <= 150
    assert len(tables["train"]) >= 230
    assert len(tables["test"]) >= 210


def test_every_truth_is_official(rows: list[dict[str, str]]) -> None:
    """A truth is empty, or a number with a decimal point and an allowed unit."""
    for row in rows:
        number, _, unit = row["entity_value"].partition(" ")
        if row["entity_value"]:
            assert re.fullmatch(r"\d+\.\d+", number), row
            assert unit in ENTITY_UNITS[row["entity_name"]], row


def test_many_are_not_stated(tables: dict[str, list[dict[str, str]]]) -> None:
    """A third of the scenes' truths and two thirds of the pages' are empty."""
    for table in tables.values():
        asked = Counter(row["image_link"] for row in table)
        empty: dict[bool, list[bool]] = {False: [], True: []}
        for row in table:
            of_page = asked[row["image_link"]] == len(ENTITY_UNITS)
            empty[of_page].append(row["entity_value"] == "")
        assert 0.25 <= np.mean(empty[False]) <= 0.42
        assert 0.6 <= np.mean(empty[True]) <= 0.8


def test_every_entity_is_asked_both_ways(tables: dict[str, list[dict[str, str]]]) -> None:
    """Each table asks for all eight entities, stated ones and absent ones."""
    for table in tables.values():
        for entity in ENTITY_UNITS:
            stated = [bool(row["entity_value"]) for row in table if row["entity_name"] == entity]
            assert True in stated, entity
            assert False in stated, entity


def test_no_question_is_asked_twice(rows: list[dict[str, str]]) -> None:
    """A picture is asked for an entity once."""
    questions = [(row["image_link"], row["entity_name"]) for row in rows]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("column", ["image_link", "group_id"])
def test_tables_share_nothing(tables: dict[str, list[dict[str, str]]], column: str) -> None:
    """No picture and no group is in both tables."""
    train, test = ({row[column] for row in tables[split]} for split in ("train", "test"))
    assert not train & test


def test_files_are_those_of_the_tables(rows: list[dict[str, str]]) -> None:
    """Each link is a file, no file is left over, and all together stay below 8 MB."""
    links = {row["image_link"] for row in rows}
    files = {path.relative_to(SAMPLE).as_posix() for path in (SAMPLE / "images").iterdir()}
    assert files == links
    assert sum((SAMPLE / link).stat().st_size for link in links) <= 8 * MEGABYTE


def test_files_open_and_are_of_several_formats(rows: list[dict[str, str]]) -> None:
    """Pictures are JPEG, PNG or WebP some hundred pixels large."""
    formats = set()
    for link in sorted({row["image_link"] for row in rows}):
        with Image.open(SAMPLE / link) as picture:
            formats.add(picture.format)
            assert 400 <= picture.width <= 1500, link
            assert 250 <= picture.height <= 1500, link
    assert formats == {"JPEG", "PNG", "WEBP"}


@pytest.mark.parametrize("kind", ["doses", "load"])
def test_committed_files_are_reproduced(kind: str) -> None:
    """The generator with seed 0 makes the committed pictures again, but for rounding."""
    picture = make_picture(kind, "train", 0, seed=0)
    committed = Image.open(SAMPLE / "images" / picture.name).convert("RGB")
    drawn = Image.open(io.BytesIO(picture.content)).convert("RGB")
    assert drawn.size == committed.size
    # Processors may round differently, and an encoder then chooses other bytes.
    assert np.abs(np.asarray(drawn, float) - np.asarray(committed, float)).mean() < 2


# The generator


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_draws_allowed_truths(kind: str) -> None:
    """Each scene draws without colliding texts and states only allowed units."""
    scene = draw_scene(kind, np.random.default_rng(3))
    assert scene.canvas.clashes == 0
    assert not set(scene.stated) & set(scene.absent)
    assert set(scene.absent) <= set(ENTITY_UNITS)
    for entity, amount in scene.stated.items():
        assert amount.unit in ENTITY_UNITS[entity]


def test_same_seed_gives_same_bytes() -> None:
    """A picture depends on kind, table, number and seed only."""
    first, again = (make_picture("plate", "test", 1, seed=5) for _ in range(2))
    assert first == again


def test_other_seed_gives_other_bytes() -> None:
    """Another seed draws another picture."""
    first, other = (make_picture("battery", "test", 0, seed=seed).content for seed in (5, 6))
    assert first != other


def test_write_sample_names_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tables with consecutive indexes, and the counted rows."""
    monkeypatch.setattr("lib.dev.synthetic.dataset.KINDS", {"doses": KINDS["doses"]})
    monkeypatch.setattr("lib.dev.synthetic.dataset.read_contents", list)
    counts = write_sample(tmp_path, seed=1)
    assert counts == {"train": 2, "test": 2}
    assert (tmp_path / "test.csv").read_text().splitlines()[1].startswith("2,images/doses_test_0.")


def test_a_hopeless_scene_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene whose texts always collide says so instead of being used."""

    def draw_collision(_: np.random.Generator) -> Drawing:
        canvas = Canvas(100, 100)
        canvas.text((50, 50), "a", Lettering())
        canvas.text((52, 50), "b", Lettering())
        return Drawing(canvas)

    monkeypatch.setitem(KINDS, "collision", draw_collision)
    with pytest.raises(ValueError, match="collision: expected a drawing without colliding"):
        draw_scene("collision", np.random.default_rng(0))


def test_questions_keep_the_truth() -> None:
    """What is stated is asked with its value, what is absent with an empty one."""
    scene = Drawing(Canvas(10, 10), {"width": Amount(12, "inch")}, ("depth",))
    assert pick_questions(scene, np.random.default_rng(0)) == {"width": "12.0 inch", "depth": ""}


def test_rows_follow_the_columns() -> None:
    """A row is index, link, group, entity and truth."""
    picture = make_picture("doses", "train", 0, seed=0)
    index, link, group_id, entity, truth = list_rows([picture], first_index=7)[0]
    assert (index, link, group_id) == (7, f"images/{picture.name}", picture.group_id)
    assert (entity, truth) == next(iter(picture.truths.items()))


# The parts


@pytest.mark.parametrize(
    ("x", "y", "angle", "clashes", "reason"),
    [
        (200, 300, 0, 0, "far from everything"),
        (200, 110, 0, 1, "on another text"),
        (395, 300, 0, 1, "over the edge"),
        (100, 200, 0, 1, "on a measuring line"),
        (300, 200, 90, 1, "turned into a reserved place"),
    ],
)
def test_canvas_counts_collisions(
    x: float, y: float, angle: float, clashes: int, reason: str
) -> None:
    """A text that hits something is counted."""
    canvas, look = Canvas(400, 400), Lettering(size=30)
    canvas.text((200, 100), "12 cm", look)
    canvas.measure((100, 150), (100, 350), "9", LineLook(look))
    canvas.reserve((280, 230, 320, 260))
    assert canvas.clashes == 0
    canvas.text((x, y), "12 cm", look, angle)
    assert canvas.clashes == clashes, reason


def test_long_text_is_written_smaller() -> None:
    """`room` bounds a text's width."""
    canvas = Canvas(400, 100)
    canvas.text((200, 50), "a rather long line of text", Lettering(size=40), room=300)
    assert canvas.clashes == 0
    assert canvas.texts[0][2].size < 40


def test_mirrored_text_stays_readable() -> None:
    """Mirroring moves a text to the other side without turning its letters round."""
    canvas = Canvas(400, 100)
    canvas.text((100, 50), "F", Lettering(size=60))
    plain, mirrored = (np.asarray(canvas.finish(400, mirror)) for mirror in (False, True))
    assert np.abs(plain[:, 60:140].astype(int) - mirrored[:, 260:340]).mean() < 3


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_fonts_are_installed(family: str) -> None:
    """Each font's regular and bold files are in their package."""
    assert find_font(family).is_file()
    assert find_font(family, bold=True).is_file()


def test_missing_font_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A font whose package is absent says which one to install."""
    monkeypatch.setitem(FAMILIES, "Absent", ("font_absent", "a.ttf", "b.ttf"))
    with pytest.raises(FileNotFoundError, match="font_absent"):
        find_font("Absent")


@pytest.mark.parametrize(
    ("notation", "amount", "printed", "reason"),
    [
        (Notation("de", ""), Amount(15.5, "centimetre"), "15,5cm", "decimal comma"),
        (Notation("en", " ", choice=1), Amount(8.5, "inch"), '8.5"', "no space before a mark"),
        (Notation("it", choice=3), Amount(2, "litre"), "2 litri", "a word of the language"),
        (Notation(grouped=True), Amount(1490, "millimetre"), "1,490 mm", "English thousands"),
        (Notation("fr", grouped=True), Amount(1490, "watt"), "1490 W", "no mark elsewhere"),
    ],
)
def test_notation(notation: Notation, amount: Amount, printed: str, reason: str) -> None:
    """Amounts are printed in each country's way."""
    assert notation.write(amount) == printed, reason


def test_captions_are_complete() -> None:
    """Every entity has a caption in every language."""
    assert set(CAPTIONS) == set(ENTITY_UNITS)
    assert all(set(words) == set(LANGUAGES) for words in CAPTIONS.values())


def test_between_gives_multiples_of_the_step() -> None:
    """Drawn numbers have no more digits than the step."""
    rng = np.random.default_rng(0)
    values = {between(rng, 0.5, 1, 0.1) for _ in range(200)}
    assert values == {0.5, 0.6, 0.7, 0.8, 0.9, 1.0}


def test_styles_differ() -> None:
    """Pictures come in all languages and many fonts."""
    rng = np.random.default_rng(0)
    styles = [pick_style(rng) for _ in range(100)]
    assert {style.language for style in styles} == set(LANGUAGES)
    assert {style.family for style in styles} == set(FAMILIES)


def test_damage_keeps_the_size() -> None:
    """Effects change pixels, not the picture's size or mode."""
    picture = Image.new("RGB", (640, 480), (200, 120, 40))
    for seed in range(6):
        worn = damage(picture, np.random.default_rng(seed), rough=True)
        assert (worn.size, worn.mode) == ((640, 480), "RGB")


def test_encoded_bytes_match_their_ending() -> None:
    """The ending names the format."""
    picture, kinds = (
        Image.new("RGB", (64, 48)),
        {"jpg": b"\xff\xd8", "png": b"\x89P", "webp": b"RI"},
    )
    for seed in range(60):
        content, ending = encode(picture, np.random.default_rng(seed))
        assert content.startswith(kinds[ending])
