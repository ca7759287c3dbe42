"""The demo: a ledger-neutral scenario, played through the same services as the command line."""
