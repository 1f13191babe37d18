"""Tests of `lib.features.embedding`."""
