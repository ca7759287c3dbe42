"""Attachments of invoices, credit notes and contacts: raw bytes under a file name."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused, Unknown
from adapters.xero.sandbox.listing import flag
from adapters.xero.sandbox.render import attachment as render
from adapters.xero.sandbox.resources import contacts, credit_documents, invoices
from adapters.xero.sandbox.resources.edge import ATTACHMENTS, act_of, route
from adapters.xero.sandbox.resources.history import Find, Owner
from adapters.xero.sandbox.routing import Call, Handler, Route
from adapters.xero.sandbox.store import Act, Books

_FORBIDDEN = frozenset('<>:"/\\|?*+\0')
_MOST_FILES, _MOST_BYTES = 10, 10 * 1024 * 1024


def _list_of(kind: str, parameter: str, find: Find) -> Handler:
    def handle(call: Call) -> Response:
        owner = find(call.books, call.params[parameter])
        files = call.books.files(kind, owner.id)
        return answers.envelope(call, "Attachments", [render(kind, owner.id, one) for one in files])

    return handle


def _content_of(kind: str, parameter: str, find: Find) -> Handler:
    def handle(call: Call) -> Response:
        owner, key = find(call.books, call.params[parameter]), call.params["FileName"]
        files = call.books.files(kind, owner.id)
        found = next((one for one in files if one.id == key or one.name == key), None)
        if found is None or found.content is None:
            raise Unknown
        return Response(200, (("Content-Type", found.mime),), found.content)

    return handle


def _attach_of(kind: str, parameter: str, find: Find) -> Handler:
    def handle(call: Call) -> Response:
        owner, name = find(call.books, call.params[parameter]), call.params["FileName"]
        body = call.request.body
        if not name.strip() or _FORBIDDEN & set(name):
            raise Refused('The file name must not contain any of < > : " / \\ | ? * +')
        if not body:
            raise Refused("The attachment is empty")
        if len(body) > _MOST_BYTES:
            raise Refused("The attachment is larger than 10 MB")
        mime = call.request.headers.get("content-type", "application/octet-stream")
        # Two spellings of the parameter are documented; both name one thing.
        asked = flag(call, "IncludeOnline") or flag(call, "includeOnline")
        online = asked and _faces_customer(owner)
        file = _keep(call.books, kind, owner, r.Attachment("", name, mime, len(body), body, online))
        _tell(call.books, act_of(call), kind, owner, file)
        return answers.envelope(call, "Attachments", [render(kind, owner.id, file)])

    return handle


def _faces_customer(owner: Owner) -> bool:
    """Only a customer's document has an online form to which a file can be added."""
    return (isinstance(owner, r.Invoice) and owner.type == "ACCREC") or (
        isinstance(owner, r.Credit) and owner.is_receivable
    )


def _keep(books: Books, kind: str, owner: Owner, file: r.Attachment) -> r.Attachment:
    files = books.files(kind, owner.id)
    same = next((one for one in files if one.name.lower() == file.name.lower()), None)
    if same is not None and books.on("attachment_overwrites"):
        file = replace(file, id=same.id)
        books.put_files(kind, owner.id, tuple(file if one is same else one for one in files))
        return file
    if len(files) >= _MOST_FILES:
        raise Refused(f"A document can have at most {_MOST_FILES} attachments")
    file = replace(file, id=books.new_id("attachment"))
    books.put_files(kind, owner.id, (*files, file))
    return file


def _tell(books: Books, act: Act, kind: str, owner: Owner, file: r.Attachment) -> None:
    books.note(kind, owner.id, act, "Attached a file", f"Attached the file {file.name} through the Xero API")
    digest = hashlib.sha256(file.content or b"").hexdigest()
    detail: dict[str, object] = {"name": file.name, "size": file.size, "sha256": digest, "mime": file.mime}
    books.log(act, "attachment", kind, owner.id, {**detail, "include_online": file.include_online, "id": file.id})
    if not books.on("attachment_bumps_updated"):
        return
    stamp = checks.later(owner.updated, act)
    match owner:
        case r.Invoice():
            books.put_invoice(replace(owner, updated=stamp))
        case r.Credit():
            books.put_credit(replace(owner, updated=stamp))
        case r.Contact():
            books.put_contact(replace(owner, updated=stamp))
        case r.Payment():
            raise AssertionError("payments have no attachments")


def _credit_note(books: Books, key: str) -> r.Credit:
    return credit_documents.find(books, "credit_note", key)


_OWNERS: tuple[tuple[str, str, str, Find], ...] = (
    ("invoice", "Invoices", "InvoiceID", invoices.find),
    ("credit_note", "CreditNotes", "CreditNoteID", _credit_note),
    ("contact", "Contacts", "ContactID", contacts.find),
)


def _routes() -> tuple[Route, ...]:
    found: list[Route] = []
    for kind, plural, parameter, find in _OWNERS:
        folder = f"/{plural}/{{{parameter}}}/Attachments"
        file = folder + "/{FileName}"
        attach = _attach_of(kind, parameter, find)
        found.append(route("GET", folder, ATTACHMENTS, _list_of(kind, parameter, find)))
        found.append(route("GET", file, ATTACHMENTS, _content_of(kind, parameter, find)))
        found += [route(method, file, ATTACHMENTS, attach) for method in ("PUT", "POST")]
    return tuple(found)


ROUTES = _routes()
