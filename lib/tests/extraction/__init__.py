"""Tests of `lib.extraction`."""
