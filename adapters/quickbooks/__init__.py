"""QuickBooks Online: not built yet. A package without an `ADAPTER` is not offered."""
