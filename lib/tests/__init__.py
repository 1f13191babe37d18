"""Tests of lib, one file a module."""
