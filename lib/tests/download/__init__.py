"""Tests of `lib.download`."""
