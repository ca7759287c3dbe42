"""Every class of error, by what to do next: for reads, for writes, and for the first round of a new connection."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector import http
from connector.domain.effects import Finding
from connector.domain.ledger import RecordKind
from connector.errors import (
    ConnectionRevoked,
    DunwellError,
    LedgerRejected,
    LedgerUnavailable,
    NotSent,
    RateLimited,
    Retriable,
    ScopeMissing,
    TokenExpired,
    UnreadableAnswer,
)
from tests.adapters.conformance.bench import Answer, Json
from tests.adapters.conformance.conftest import Found
from tests.adapters.conformance.desk import Desk, Mirror
from tests.adapters.conformance.errands import NOBODY, SENDS_WITHIN, errand

ANY: Json = {"method": "GET"}
SECRET = "Bearer"

# An answer to a read -> what it is called when it does not pass.
UNREAD: dict[str, tuple[Json, type[Retriable]]] = {
    "500": ({"do": "before_commit", "status": 500, "stored": False}, LedgerUnavailable),
    "502": ({"do": "status", "status": 502}, LedgerUnavailable),
    "503 with a web page": (
        {
            "do": "before_commit", "status": 503, "stored": False, "body": "<html><body>Maintenance</body></html>",
            "headers": {"Content-Type": "text/html"},
        },
        LedgerUnavailable,
    ),
    "504": ({"do": "status", "status": 504}, LedgerUnavailable),
    "timeout": ({"do": "hang"}, LedgerUnavailable),
    "reset": ({"do": "reset"}, LedgerUnavailable),
    "cut in the head of the body": ({"do": "cut_body", "bytes": 0}, LedgerUnavailable),
    "cut in the middle": ({"do": "cut_body", "bytes": 64}, LedgerUnavailable),
    "200 with a login page": ({"do": "garbage", "kind": "html_login"}, UnreadableAnswer),
    "truncated": ({"do": "garbage", "kind": "truncated_json"}, UnreadableAnswer),
    "not JSON": ({"do": "garbage", "kind": "not_json"}, UnreadableAnswer),
    "nothing": ({"do": "garbage", "kind": "empty"}, UnreadableAnswer),
    "wrong content type": ({"do": "garbage", "kind": "wrong_content_type"}, UnreadableAnswer),
    "NaN for numbers": ({"do": "garbage", "kind": "nan"}, UnreadableAnswer),
    "302": ({"do": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:2/"}}, UnreadableAnswer),
}  # fmt: skip


def told(error: DunwellError) -> None:
    """A person is told what happened, and no secret."""
    said = f"{error} {error.as_dict()}"
    assert error.what
    assert SECRET not in said


@pytest.mark.parametrize("kind", RecordKind)
@pytest.mark.parametrize("what", UNREAD)
def test_a_list_that_cannot_be_read_is_never_taken_for_an_empty_one(desk: Desk, what: str, kind: RecordKind) -> None:
    action, error = UNREAD[what]
    mirror = Mirror()
    cursor = desk.pull(mirror)
    held = dict(mirror.portraits())
    desk.wait(86_400)
    desk.fault(desk.bench.listing(kind), None, **action)
    if what == "NaN for numbers":
        # An empty list holds no numbers that could be spoilt: make sure that this one holds a record.
        desk.people({"do": "edit_contact", "customer": "acorn", "terms_days": 9}, {"do": "pay", "invoice": "INV-1"})
        desk.people({"do": "credit", "customer": "acorn", "amount": "1.00"})
    spoilt = Mirror()
    try:
        desk.pull(spoilt, cursor)
    except error as caught:
        told(caught)
    else:
        assert what == "NaN for numbers"  # the records that hold such numbers go to a person, one by one
        assert spoilt.review
    assert desk.struck() > 0
    desk.heal()
    desk.pull(mirror, cursor)
    assert mirror.portraits().keys() >= held.keys()
    assert mirror.portraits() == desk.truth()


@pytest.mark.parametrize("what", [*UNREAD, "BOM"])
def test_what_passes_is_not_even_noticed(desk: Desk, what: str) -> None:
    """One bad answer to each list, then good ones: the round succeeds and is whole."""
    action = {"do": "garbage", "kind": "bom"} if what == "BOM" else UNREAD[what][0]
    for kind in RecordKind:
        desk.fault(desk.bench.listing(kind), 1, **action)
    mirror = Mirror()
    desk.pull(mirror)
    assert desk.struck() == len(RecordKind)
    assert desk.truth() == mirror.portraits()


@pytest.mark.parametrize("what", UNREAD)
def test_a_look_that_cannot_be_read_is_never_an_absence(desk: Desk, what: str) -> None:
    job = errand(desk, "note")
    job.send(job.prepared())
    desk.fault(ANY, None, **UNREAD[what][0])
    if what == "NaN for numbers":  # there are none in a history
        assert desk.ledger.find(job.effect, job.prepared()).finding is Finding.PRESENT
        return
    with pytest.raises(UNREAD[what][1]) as caught:
        desk.ledger.find(job.effect, job.prepared())
    told(caught.value)


# --- definite answers ------------------------------------------------------------------------------------------------


def test_a_validation_error_is_the_ledgers_own_words(desk: Desk) -> None:
    job = errand(desk, "expected date")
    desk.people({"do": "pay", "invoice": "INV-1"})
    with pytest.raises(LedgerRejected) as caught:
        job.send(job.prepared())
    assert caught.value.detail
    assert caught.value.status == 400
    assert caught.value.next_step
    told(caught.value)


def test_an_expired_access_token_is_replaced_once_and_nobody_notices(desk: Desk) -> None:
    desk.wait(31 * 60)
    mirror = Mirror()
    desk.pull(mirror)
    assert desk.tokens.replaced == 1
    assert mirror.portraits() == desk.truth()


def test_an_expired_access_token_while_writing_writes_once(desk: Desk) -> None:
    job = errand(desk, "note")
    desk.wait(31 * 60)
    job.send(job.prepared())
    assert desk.tokens.replaced == 1
    assert job.happened() == 1


def test_a_token_that_stays_refused_needs_a_person(desk: Desk) -> None:
    class Useless:
        def access(self) -> str:
            return "useless"

        def replace(self, refused: str) -> str:
            return "useless as well"

    ledger = desk.opened(desk.client, Useless())
    with pytest.raises(TokenExpired) as caught:
        ledger.organisation()
    assert len(desk.line.log) == 2
    told(caught.value)


def test_a_missing_permission_is_named_and_not_tried_again(desk: Desk) -> None:
    desk.order("consent", {"drop_scopes": list(desk.bench.writing_scopes)})
    desk.tokens.replace(desk.tokens.access())
    desk.line.log.clear()
    with pytest.raises(ScopeMissing) as caught:
        desk.ledger.fetch(RecordKind.INVOICE, [NOBODY])
    assert len(desk.line.log) <= 2
    assert "connect" in caught.value.next_step
    told(caught.value)


def test_a_removed_connection_is_revoked_and_not_tried_again(desk: Desk) -> None:
    desk.order("consent", {"disconnect": desk.name})
    with pytest.raises(ConnectionRevoked) as caught:
        desk.ledger.organisation()
    assert len(desk.line.log) == 1
    assert "connect" in caught.value.next_step
    told(caught.value)


def test_a_forbidden_role_needs_a_person(desk: Desk) -> None:
    """The person's role, that is: the connection itself is sound and must not be given up for it."""
    desk.fault(ANY, None, **desk.bench.answer(Answer.ROLE))
    with pytest.raises(ScopeMissing) as caught:
        desk.pull(Mirror())
    assert desk.struck() == 1
    told(caught.value)


@pytest.mark.parametrize("kind", RecordKind)
def test_records_that_are_not_there_are_no_error(desk: Desk, kind: RecordKind) -> None:
    assert desk.ledger.fetch(kind, [NOBODY]).records == ()


def test_no_pay_link_of_a_draft_and_none_of_nothing(desk: Desk) -> None:
    ids = {one["number"]: key[1] for key, one in desk.truth().items() if key[0] is RecordKind.INVOICE}
    link = desk.ledger.pay_link(ids["INV-1"])
    assert link is not None
    assert link.startswith("https://")
    assert desk.ledger.pay_link(ids["INV-DRAFT"]) is None
    assert desk.ledger.pay_link(NOBODY) is None
    assert desk.ledger.pdf(ids["INV-1"]).startswith(b"%PDF-")


@pytest.mark.parametrize("limit", ["minute", "concurrent"])
def test_a_short_limit_is_waited_for(desk: Desk, limit: str) -> None:
    desk.fault(ANY, 1, **desk.bench.answer(Answer(f"429 {limit}")))
    mirror = Mirror()
    desk.pull(mirror)
    assert mirror.portraits() == desk.truth()
    assert desk.struck() == 1
    assert sum(desk.clock.slept) > 0


@pytest.mark.parametrize("writes", [True, False], ids=["write", "read"])
def test_the_days_limit_is_told_at_once(desk: Desk, writes: bool) -> None:
    job = errand(desk, "note")
    slept = len(desk.clock.slept)
    desk.fault({}, None, **desk.bench.answer(Answer.LIMIT_DAY))
    with pytest.raises(RateLimited) as caught:
        job.send(job.prepared()) if writes else desk.pull(Mirror())
    assert (caught.value.limit, caught.value.retry_after) == ("day", 7200.0)
    assert len(desk.clock.slept) == slept
    assert desk.struck() == 1
    assert job.happened() == 0
    told(caught.value)


# --- no connection at all --------------------------------------------------------------------------------------------


@contextmanager
def listening(answer: object = None) -> Iterator[int]:
    """A port of this machine; `answer` talks to whoever calls."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        if answer is None:
            server.close()
            yield port
            return
        stop = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, answer, stop), daemon=True)
        thread.start()
        yield port
        stop.set()
        with closing(socket.create_connection(("127.0.0.1", port))):
            pass
        thread.join()


def _serve(server: socket.socket, context: object, stop: threading.Event) -> None:
    assert isinstance(context, ssl.SSLContext)
    while True:
        connection, _ = server.accept()
        with connection:
            if stop.is_set():
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                continue


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server that shows a certificate which it has signed itself."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(text + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@pytest.mark.socket
@pytest.mark.parametrize("how", ["connection refused", "untrusted certificate"])
@pytest.mark.parametrize("writes", [True, False], ids=["write", "read"])
def test_what_never_left_is_not_sent(found: Found, untrusted: ssl.SSLContext, how: str, writes: bool) -> None:
    desk = found()
    job = errand(desk, "note")
    context, scheme = (None, "http") if how == "connection refused" else (untrusted, "https")
    with listening(context) as port, closing(http.client()) as client:
        ledger = desk.opened(client, desk.tokens, base_url=f"{scheme}://127.0.0.1:{port}")
        leave_by = desk.clock.now() + SENDS_WITHIN
        with pytest.raises(NotSent) as caught:
            ledger.send(job.effect, job.prepared(), leave_by) if writes else ledger.organisation()
    told(caught.value)
    assert job.happened() == 0
