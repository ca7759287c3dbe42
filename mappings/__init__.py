"""Policies, presets, letters and technical defaults: data that ships with dunwell and that users copy and change."""
