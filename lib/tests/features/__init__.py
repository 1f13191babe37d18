"""Tests of `lib.features`."""
