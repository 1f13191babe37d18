"""Tests of `lib.extraction.learned`."""
