"""YAML in and out: locate errors, layer, remember provenance, compile to plain values."""
