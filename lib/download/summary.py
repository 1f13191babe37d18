"""Summarise a download: outcomes, sources, hosts, samples without an image."""

from collections.abc import Sequence
from dataclasses import fields

import pandas as pd

from lib.download.image_files import LinkResult
from lib.download.jobs import make_remote_job
from lib.parallel import InternalError, try_item


def tabulate_outcomes(outcomes: Sequence[LinkResult]) -> pd.DataFrame:
    """Return outcomes as a table with one column per field of `LinkResult`."""
    types = {field.name: field.type for field in fields(LinkResult)}
    columns = {name: [getattr(outcome, name) for outcome in outcomes] for name in types}
    return pd.DataFrame(columns).astype(types)


def count_outcomes(images: pd.DataFrame) -> pd.DataFrame:
    """Count links by status and kind of reason, most frequent first.

    Returns:
        Columns `status`, `reason` (details left out), `links`, `megabytes`.
    """
    kind = images["reason"].str.replace(r"\s*[(:].*", "", regex=True)
    groups = images.assign(reason=kind).groupby(["status", "reason"], as_index=False)
    counts = groups.agg(links=("link", "size"), megabytes=("bytes", "sum"))
    counts["megabytes"] = counts["megabytes"] / 1e6
    return counts.sort_values("links", ascending=False, ignore_index=True)


def measure_sources(images: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Measure the links and megabytes of each source, and its throughput.

    Args:
        images: As `fetch_images` returns them.
        seconds: Duration of the download.

    Returns:
        Columns `source`, `links`, `megabytes`, and the last two per second.
    """
    groups = images.assign(megabytes=images["bytes"] / 1e6).groupby("source", as_index=False)
    table = groups.agg(links=("link", "size"), megabytes=("megabytes", "sum"))
    table["links_per_second"] = table["links"] / seconds
    table["megabytes_per_second"] = table["megabytes"] / seconds
    return table.sort_values("links", ascending=False, ignore_index=True)


def measure_hosts(images: pd.DataFrame) -> pd.DataFrame:
    """Measure the hosts contacted in this run, slowest first.

    Returns:
        Columns `host`, `links`, `failed`, `attempts` (sum), `median_seconds` (per link).
    """
    asked = images[(images["source"] == "network") & (images["attempts"] > 0)]
    asked = asked.assign(host=asked["link"].map(name_host), failed=asked["status"] != "ok")
    table = asked.groupby("host", as_index=False).agg(
        links=("link", "size"),
        failed=("failed", "sum"),
        attempts=("attempts", "sum"),
        median_seconds=("seconds", "median"),
    )
    return table.sort_values("median_seconds", ascending=False, ignore_index=True)


def find_failed_samples(samples: pd.DataFrame, images: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Collect the samples without an image into one table per split, ready for a new run.

    Args:
        samples: As `read_samples` returns them.
        images: As `fetch_images` returns them.

    Returns:
        For each split that has any, the columns of a sample table and `reason`.
    """
    failed = images.loc[images["status"] == "failed", ["link", "reason"]]
    rows = samples.merge(failed, left_on="image_link", right_on="link")
    question = ["index", "image_link", "group_id", "entity_name", "entity_value", "reason"]
    return {str(split): part[question] for split, part in rows.groupby("split")}


def name_host(link: str) -> str:
    """Return the host of a link, or the error of a link that has none.

    >>> name_host("http://user@A.example:81/x")
    'a.example:81'
    """
    job = try_item(make_remote_job, link, 0)
    return job.reason if isinstance(job, InternalError) else job.host
