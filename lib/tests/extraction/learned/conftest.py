"""Fewer trees than are shipped, and one model for all tests that only ask it."""

import pytest

from lib.extraction.learned.training import fit_model
from lib.tests.labelled import label_questions, shrink


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Fit small models."""
    shrink(monkeypatch)


@pytest.fixture(scope="session")
def model():
    """A model fitted on sixty labels and sixty drawings."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        return fit_model(label_questions(range(60)), card={"rows": 120})
