"""Tests of `lib.download.fetch`."""
