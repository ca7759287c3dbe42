"""The credit policy: pure functions from (policy, facts, date) to decisions with reasons. No I/O, no ledger names."""
