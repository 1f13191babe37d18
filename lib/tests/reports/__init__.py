"""Tests of `lib.reports`."""
