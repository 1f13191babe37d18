"""Tests of `lib.evaluation`."""
