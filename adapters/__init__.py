"""The ledgers dunwell can speak to: one sub-package each, found by a scan of this folder."""
