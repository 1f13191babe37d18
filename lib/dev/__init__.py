"""Tools of the developers, not needed to run: benchmark, synthetic sample, fitting of models."""
