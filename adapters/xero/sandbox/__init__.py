"""The Xero twin: a stateful stand-in for the vendor, written from its documentation alone."""
