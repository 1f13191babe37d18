"""A thousand damaged tables: each is read or refused, and nothing else happens."""

import gzip
import io
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.io import batch_of, count_batches, distinct_links
from lib.tests.io.tables.test_formats import (
    JSON_LINES,
    LINKS,
    RECORDS,
    SEMICOLON,
    TABLE,
    parquet,
    workbook,
)
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.preflight import read_tables

KNOWN = known_parameters() | {"TRAIN_CSV": "", "TEST_CSV": ""}
TRUTHS = TABLE.replace("entity_name", "entity_name,Entity Value,sha256,product_id").replace(
    "\n0", '\n7,x.jpg,1, Item weight,"1,5 kg",,p\n0'
)
WHOLE = [
    *(TABLE.encode(), SEMICOLON.encode("cp1252"), TABLE.encode("utf-16"), TRUTHS.encode()),
    *(JSON_LINES.encode(), LINKS.encode(), gzip.compress(TRUTHS.encode())),
    *(parquet(pd.DataFrame(RECORDS)), workbook(a=pd.DataFrame(RECORDS))),
]
SNIPPETS = [
    *(b",", b";", b"\t", b"|", b'"', b'""', b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1f"),
    *(b",,,,\n", b"entity_value", b"index", b"Index,", b"\xd8\x00", b"1e999", b"null", b"{", b"["),
    *("ſ²½−ﬁ\u202e".encode(), b"9" * 400, b"=cmd()", b"\\ud800", b"NA", b" - ", b"10 to 15 cm"),
]


def insert(data: bytes, place: int, snippet: bytes) -> bytes:
    """Put something in between."""
    return data[:place] + snippet + data[place:]


def overwrite(data: bytes, place: int, snippet: bytes) -> bytes:
    """Put something over what is there."""
    return data[:place] + snippet + data[place + len(snippet) :]


def remove(data: bytes, place: int, snippet: bytes) -> bytes:
    """Take something out."""
    return data[:place] + data[place + 5 * len(snippet) :]


def repeat(data: bytes, place: int, snippet: bytes) -> bytes:
    """Bring a part again at the end."""
    return data + data[place : place + 40]


def exchange(data: bytes, place: int, snippet: bytes) -> bytes:
    """Exchange one letter everywhere."""
    return data.replace(data[place : place + 1] or b",", snippet)


def cut(data: bytes, place: int, snippet: bytes) -> bytes:
    """Lose the end."""
    return data[:place]


CHANGES: list[Callable[[bytes, int, bytes], bytes]] = [
    *(insert, overwrite, remove, repeat, exchange, cut),
]
DAMAGE = st.tuples(
    st.sampled_from(CHANGES), st.floats(0, 1), st.sampled_from(SNIPPETS) | st.binary(max_size=4)
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The file that holds one damaged table after the other."""
    return tmp_path_factory.mktemp("damaged") / "table"


@settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
@given(st.sampled_from(WHOLE), st.lists(DAMAGE, min_size=1, max_size=4), st.booleans())
def test_damaged_tables_are_read_or_refused(path, data, damage, as_train):
    """What is read can be stored, fetched and answered row by row; all else is a wrong request."""
    for change, share, snippet in damage:
        data = change(data, int(share * len(data)), snippet)
    path.write_bytes(data)
    name = "TRAIN_CSV" if as_train else "TEST_CSV"
    try:
        tables = read_tables(Parameters.model_validate(KNOWN | {name: str(path)}))
    except ParameterError as error:
        assert str(path) in str(error) and len(str(error)) < 2000
        return
    samples, own = tables.samples, tables.own_columns
    assert samples["sample_id"].tolist() == own["sample_id"].tolist() == [*range(len(samples))]
    assert samples[samples["problem"] == ""]["image_link"].all()
    links = distinct_links(samples)
    assert len(batch_of(links, 0, 5000)) == len(links) and count_batches(links, 5000) == 1
    for table in (samples, own):
        table.to_parquet(io.BytesIO())
        "".join(table.astype(str).sum(axis=1)).encode()
    assert all(line.isprintable() for line in tables.notes + tables.warnings)
