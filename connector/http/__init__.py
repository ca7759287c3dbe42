"""How every ledger is spoken to. `transport.py` is the only importer of httpx.

`client()` sends one request and judges nothing but whether it left. `Caller` adds what all ledgers need alike: a
limiter fed by the server's own headers, retries by error class, one token replacement, counts and a log without
secrets. What differs between ledgers is a `Dialect`. Every wait goes through the Clock; the socket deadline alone is
real time.
"""

from __future__ import annotations

from connector.http.caller import ATTEMPTS, Caller
from connector.http.dialect import Dialect
from connector.http.limiter import Limiter
from connector.http.transport import HttpxClient, client

__all__ = ["ATTEMPTS", "Caller", "Dialect", "HttpxClient", "Limiter", "client"]
