"""Tests of `lib.parallel`."""
