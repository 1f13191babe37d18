"""Tests of `lib.io`."""
