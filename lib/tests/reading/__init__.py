"""Tests of `lib.reading`."""
