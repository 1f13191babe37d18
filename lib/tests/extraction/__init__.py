"""Tests of `lib.extraction.answers`."""
