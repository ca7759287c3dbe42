"""The trade's own things as immutable values: money, dates, ledger records, cases, decisions, effects. Pure."""
