"""Benchmark each part of the project against the usual way, as ratios within one run."""
