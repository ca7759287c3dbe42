"""Where everything is kept: schema, transactions, mirror, cases, outbox, timeline."""
