"""One suite for every ledger: what an adapter promises at the `Ledger` port, tried against that ledger's twin.

The suite (`test_*.py`) names no ledger. What differs between ledgers sits in one `Bench` a ledger (`xero.py`): how to
found its twin, what its books say, how its requests and its log rows are told apart, what it answers where ledgers
differ, and which cases it is excused from, with the reason. A further ledger adds its bench to `BENCHES` in `conftest`.
"""
