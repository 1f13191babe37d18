"""Print the table of `docs/large.md`: what the challenge's photos cost on several machines.

`python -m lib.dev.large_table`; the measured inputs stand in `Inputs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Inputs:
    """What a run costs, as measured where `docs/large.md` says; times in seconds.

    Attributes:
        images: Different images of the challenge's test table.
        rows: Its rows.
        batch: Images a batch, the default of `BATCH_SIZE`.
        reading: Processor time of OCR, an image.
        features: Processor time of both networks of notebook 02, an image.
        lines: Processor time of the line segments, an image.
        card_reading: OCR's images a second on a card.
        card_features: Images a second of both networks on a card.
        fetching: Images a second that are downloaded.
        start: Time of a batch that no core shortens: starts, imports, figures.
        extraction: Samples a second on one core, with the model's confidence.
        ending: Time of notebook 05 and the pages, for all rows.
        image_bytes: Of an image file.
        cached_bytes: Of the cache, an image.
        table_bytes: Of the tables, an image.
        base_gb: Memory of the notebooks' kernels and the main process.
        worker_gb: Memory of an OCR worker.
        core_price: Assumed price of a core hour, USD.
        card_price: Assumed price of an hour of a card and 16 cores, USD.
    """

    images: int = 90_666
    rows: int = 131_187
    batch: int = 5_000
    reading: float = 0.70
    features: float = 0.20
    lines: float = 0.02
    card_reading: float = 150.0
    card_features: float = 1_400.0
    fetching: float = 500.0
    start: float = 15.0
    extraction: float = 1_200.0
    ending: float = 30.0
    image_bytes: int = 110_000
    cached_bytes: int = 52_000
    table_bytes: int = 8_000
    base_gb: float = 3.0
    worker_gb: float = 0.8
    core_price: float = 0.045
    card_price: float = 3.50

    @property
    def batches(self) -> int:
        """Return the number of batches."""
        return math.ceil(self.images / self.batch)

    @property
    def disk_gb(self) -> float:
        """Return the disk space with `KEEP_IMAGES: false`: cache, tables, images of two batches."""
        kept = min(self.images, 2 * self.batch) * self.image_bytes
        return (self.images * (self.cached_bytes + self.table_bytes) + kept) / 1e9


@dataclass(frozen=True)
class Setup:
    """Machines of the same kind, the first of which runs the notebooks.

    Attributes:
        name: For the table.
        cores: Of each machine.
        machines: Their number; several are a Dask cluster.
        has_card: Whether there is a GPU, which then does OCR and features.
    """

    name: str
    cores: int
    machines: int = 1
    has_card: bool = False


SETUPS: tuple[Setup, ...] = (
    Setup("2 cores", 2),
    Setup("16 cores", 16),
    Setup("64 cores", 64),
    Setup("16 cores and one H200", 16, has_card=True),
    Setup("ten machines of 16 cores", 16, machines=10),
)
COLUMNS: tuple[str, ...] = (
    *("machines", "images a second", "reading", "rest", "time", "memory", "disk", "USD"),
    "takes most of the time",
)


def find_reading(setup: Setup, inputs: Inputs) -> dict[str, float]:
    """Return the seconds of each step that more cores, machines or a card shorten.

    >>> find_reading(Setup("16 cores", 16), Inputs(images=80, reading=0.7, features=0.1, lines=0.0))
    {'OCR': 3.5, 'features': 0.5, 'line segments': 0.0}
    """
    if setup.has_card:  # the cores find the line segments meanwhile
        rates = {"OCR": inputs.card_reading, "features": inputs.card_features}
        return {name: inputs.images / rate for name, rate in rates.items()}
    cores = setup.cores * setup.machines
    return {
        "OCR": inputs.images * inputs.reading / cores,
        "features": inputs.images * inputs.features / cores,
        "line segments": inputs.images * inputs.lines / cores,
    }


def find_rest(inputs: Inputs) -> dict[str, float]:
    """Return the seconds of each step that neither cores nor machines shorten."""
    return {
        "first download": inputs.batch / inputs.fetching,  # the others go on beside the reading
        "starts": inputs.batches * inputs.start,
        "extraction": inputs.rows / inputs.extraction,
        "evaluation and pages": inputs.ending,
    }


def describe_setup(setup: Setup, inputs: Inputs) -> tuple[str, ...]:
    """Make the row of the table for some machines."""
    steps = find_reading(setup, inputs)
    reading, rest = sum(steps.values()), sum(find_rest(inputs).values())
    time, rate = reading + rest, inputs.images / reading
    price = inputs.card_price if setup.has_card else setup.cores * inputs.core_price
    memory = f"{inputs.base_gb + setup.cores * inputs.worker_gb:.0f} GB"
    most = sorted((steps | find_rest(inputs)).items(), key=lambda step: -step[1])[:2]
    return (
        setup.name,
        f"{rate:.1f}" if rate < 10 else f"{rate:.0f}",
        *map(write_time, (reading, rest, time)),
        memory if setup.machines == 1 else f"{memory} each",
        f"{inputs.disk_gb:.1f} GB",
        f"{setup.machines * price * time / 3600:.2f}",
        ", ".join(f"{name} {seconds / time:.0%}" for name, seconds in most),
    )


def write_time(seconds: float) -> str:
    """Write a time in hours or minutes.

    >>> write_time(5_000), write_time(500)
    ('1.4 h', '8 min')
    """
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def tabulate(inputs: Inputs) -> str:
    """Return the table in Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(describe_setup(one, inputs) for one in SETUPS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(tabulate(Inputs()))
