"""Tests of `lib.quantities`."""
