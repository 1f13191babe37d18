"""The table on the challenge's photos: its arithmetic, and that the docs hold it."""

import re
from dataclasses import replace

import pytest

from lib.dev.large_table import SETUPS, Inputs, Setup, describe_setup, find_rest, tabulate
from lib.io.paths import PROJECT
from lib.workflow import disk_space
from lib.workflow.parameters import known_parameters

INPUTS = Inputs(images=36_000, reading=0.9, features=0.1, lines=0.0, worker_gb=1.0)
STILL = replace(INPUTS, start=0, extraction=1e9, ending=0, fetching=1e9)  # nothing but reading


def test_docs_hold_the_table():
    """`docs/large.md` has the table and the inputs that it is made from."""
    text = (PROJECT / "docs/large.md").read_text(encoding="utf-8")
    assert tabulate(Inputs()) in text
    listed = text.split("| input | value |")[1].split("\n\n")[0]
    values = [float(cell.replace(",", "")) for cell in re.findall(r"\| ([\d.,]+) \|", listed)]
    one = Inputs()
    assert values == [
        *(one.reading, one.features, one.lines, one.card_reading, one.card_features),
        *(one.fetching, one.start, one.extraction, one.ending, one.worker_gb, one.base_gb),
    ]
    assert f"{one.core_price} USD" in text and f"{one.card_price:.2f} USD" in text


def test_inputs_are_those_of_the_code():
    """Sizes and the batch are the ones that a run goes by."""
    one = Inputs()
    sizes = (disk_space.IMAGE, disk_space.CACHED, disk_space.TABLES)
    assert (one.image_bytes, one.cached_bytes, one.table_bytes) == sizes
    assert one.batch == known_parameters()["BATCH_SIZE"]


@pytest.mark.parametrize(
    ("setup", "inputs", "row"),
    [
        # 36,000 x (0.9 + 0.1) s on one core: 10 hours of it
        (Setup("a", 1), STILL, "1.0 10.0 h 0 min 10.0 h 4 GB 0.45 OCR 90%, features 10%"),
        # two machines: half the time at twice the price
        (Setup("a", 1, 2), STILL, "2.0 5.0 h 0 min 5.0 h 4 GB each 0.45 OCR 90%, features 10%"),
        # 36,000 x (0.9 + 0.1 + 0.2) s on 16 cores
        (
            *(Setup("a", 4, 4), replace(STILL, lines=0.2)),
            "13 45 min 0 min 45 min 7 GB each 0.54 OCR 75%, line segments 17%",
        ),
        # 36,000 / 100 s and 36,000 / 200 s on the card; the cores' times do not matter
        (
            *(Setup("a", 16, has_card=True), replace(STILL, card_reading=100, card_features=200)),
            "67 9 min 0 min 9 min 19 GB 0.53 OCR 67%, features 33%",
        ),
        # what no core shortens: 8 batches x 450 s beside 36,000 / 10 s
        (
            *(Setup("a", 10), replace(STILL, start=450)),
            "10 1.0 h 1.0 h 2.0 h 13 GB 0.90 starts 50%, OCR 45%",
        ),
    ],
)
def test_arithmetic(setup, inputs, row):
    """Each machine's row follows from the inputs."""
    _, *cells = describe_setup(setup, inputs)
    assert " ".join(cell for cell in cells if cell != f"{inputs.disk_gb:.1f} GB") == row


def test_rest_and_disk():
    """Batches are rounded up; only two batches of images are on the disk at a time."""
    inputs = replace(INPUTS, images=10_001, rows=2_400, start=10.0, ending=5.0)
    assert find_rest(inputs) == {
        "first download": 10.0, "starts": 30.0, "extraction": 2.0, "evaluation and pages": 5.0,
    }  # fmt: skip
    assert inputs.disk_gb == pytest.approx(10_001 * 60e-6 + 10_000 * 110e-6)
    assert replace(inputs, images=10).disk_gb == pytest.approx(10 * 170e-6)


def test_every_setup_has_a_row():
    """The table has a head, a rule and a row for each."""
    assert len(tabulate(INPUTS).splitlines()) == 2 + len(SETUPS)
