"""Tests of `lib.evaluation.outcomes`."""
