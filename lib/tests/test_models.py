"""The models that come with the project are those that were fitted, whatever tests do."""

from lib.tests.conftest import FITTED, digest_models


def test_models_are_the_fitted_ones():
    """The files have the digests noted when they were fitted; note new ones knowingly."""
    assert digest_models() == FITTED
