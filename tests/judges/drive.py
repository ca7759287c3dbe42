"""An app that calls every route of the sandbox at least once, each in the statuses that it has."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from adapters._twin.messages import Request, Response
from adapters.xero.sandbox.resources import ROUTES
from tests.judges.court import Court

API = "/api.xro/2.0"
NOWHERE = "11111111-1111-4111-8111-111111111111"
DAY = "2026-11-22"


def template_of(method: str, path: str) -> str:
    """The template of the sandbox's route for a path, as "GET /Invoices/{InvoiceID}"; "" for none."""
    fitting = [one.template for one in ROUTES if one.method == method and _fits(one.template, path.removeprefix(API))]
    return f"{method} {min(fitting, key=lambda template: template.count('{'))}" if fitting else ""


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) is not None


@dataclass
class Drive:
    """Calls with one token; answers are parsed where they are JSON."""

    court: Court
    token: str

    def send(self, method: str, path: str, body: object = None, query: str = "", **headers: str) -> Response:
        """Send one request; a body that is not bytes goes as JSON. `headers` with underscores replace or add."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        standard = {"authorization": f"Bearer {self.token}", "xero-tenant-id": self.court.tenant}
        standard |= {"accept": "application/json", "content-type": "application/json", "host": "localhost"}
        chosen = standard | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.court.answer(Request(method, path, query, {k: v for k, v in chosen.items() if v}, raw))

    def call(
        self, method: str, path: str, body: object = None, status: int = 200, query: str = "", **headers: str
    ) -> Any:
        """Send one request to the Accounting API, see that its status is the expected one, and return the answer."""
        response = self.send(method, API + path, body, query, **headers)
        assert response.status == status, (method, path, response.status, response.body[:500])
        kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
        return json.loads(response.body) if kind.startswith("application/json") else response.body

    def rows(self, path: str, query: str = "") -> list[Any]:
        """Read a list that has something to show."""
        answer = self.call("GET", path, query=query)
        rows: list[Any] = next(value for value in answer.values() if isinstance(value, list))
        assert rows, f"{path}?{query} shows nothing to judge"
        return rows

    def id_of(self, kind: str, ref: str) -> str:
        """The ledger's id of a record of the company."""
        return self.court.id_of(kind, ref)

    def everything(self) -> None:
        """Go through all resources, and then through all refusals."""
        self.court.order("limits", {"off": True})
        self.settings()
        self.invoices()
        self.contacts()
        self.groups()
        self.payments()
        for noun, ref, target in (
            ("CreditNote", "cn", "noted"),
            ("Overpayment", "over", "noted"),
            ("Prepayment", "pre", "b12"),
        ):
            self.credits(noun, ref, target)
        self.credit_notes()
        self.notes_and_files()
        self.refusals()

    def settings(self) -> None:
        """The organisation and its lists."""
        for path in ("/Organisation", "/Organisation/Actions", "/Organisations", "/Organisations/Actions"):
            self.rows(path)
        self.call("POST", "/Organisation", {}, 501)
        self.rows("/InvoiceReminders/Settings")
        self.rows("/Currencies")
        for plural, key in (
            ("Users", "UserID"),
            ("Accounts", "AccountID"),
            ("TaxRates", "TaxType"),
            ("BrandingThemes", "BrandingThemeID"),
        ):
            first = self.rows(f"/{plural}")[0][key]
            self.rows(f"/{plural}/{first}")
            self.call("GET", f"/{plural}/{NOWHERE}", status=404)
        ada = self.id_of("contact", "ada")
        self.rows("/Reports/AgedReceivablesByContact", f"contactId={ada}&date={DAY}")
        self.call("GET", "/Reports/AgedReceivablesByContact", status=400)

    def invoices(self) -> None:
        """Invoices read and written, one of them sent."""
        for query in ("", "page=1", "page=1&summaryOnly=true", "page=1&unitdp=4", "Statuses=VOIDED"):
            self.rows("/Invoices", query)
        opened = self.id_of("invoice", "open")
        line = {"Description": "Hours", "Quantity": 2, "UnitAmount": "47.33", "AccountCode": "200", "DiscountRate": 10}
        wanted = {"Type": "ACCREC", "Contact": {"Name": "New Ltd"}, "LineItems": [line], "DueDate": "2026-12-20"}
        self.call(
            "PUT", "/Invoices", {"Invoices": [{**wanted, "Status": "AUTHORISED", "Url": "https://example.com/1"}]}
        )
        self.call("POST", "/Invoices", wanted)
        self.call("PUT", "/Invoices", {"Invoices": [wanted, {**wanted, "InvoiceNumber": "INV-0001"}]}, 400)
        self.call(
            "PUT",
            "/Invoices",
            {"Invoices": [wanted, {**wanted, "InvoiceNumber": "INV-0001"}]},
            query="summarizeErrors=false",
        )
        self.call("PUT", "/Invoices", {"Invoices": [{**wanted, "Contact": {"EmailAddress": "x@example.com"}}]}, 400)
        self.call("PUT", "/Invoices", {"Invoices": [{**wanted, "Type": "ACCPAY", "PlannedPaymentDate": DAY}]})
        self.call("POST", f"/Invoices/{opened}", {"ExpectedPaymentDate": "2026-12-01", "Reference": "PO 1"})
        self.rows(f"/Invoices/{opened}")
        self.rows("/Invoices/INV-0003")
        assert self.call("GET", f"/Invoices/{opened}", accept="application/pdf").startswith(b"%PDF")
        assert self.call("GET", f"/Invoices/{opened}/pdf", accept="application/pdf").startswith(b"%PDF")
        self.rows(f"/Invoices/{opened}/OnlineInvoice")
        self.call("GET", f"/Invoices/{self.id_of('invoice', 'draft')}/OnlineInvoice", status=404)
        assert self.call("POST", f"/Invoices/{opened}/Email", {}, 204) == b""
        self.call("POST", f"/Invoices/{self.id_of('invoice', 'draft')}/Email", {}, 400)
        part = self.id_of("invoice", "part")
        self.call("POST", f"/Invoices/{part}", {"DueDate": "2026-12-24"}, 400)
        self.call("POST", f"/Invoices/{self.id_of('invoice', 'b15')}", {"Status": "VOIDED"})

    def contacts(self) -> None:
        """Contacts read and written."""
        for query in ("", "page=1", "page=1&summaryOnly=true", "page=1&includeArchived=true"):
            self.rows("/Contacts", query)
        ada = self.id_of("contact", "ada")
        self.rows(f"/Contacts/{ada}")
        terms = {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}, "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
        person = {"FirstName": "D", "EmailAddress": "d@example.com", "IncludeInEmails": True}
        more = {
            "EmailAddress": "z@example.com",
            "ContactNumber": "Z-1",
            "TaxNumber": "12-345",
            "DefaultCurrency": "NZD",
        }
        phones = [{"PhoneType": "MOBILE", "PhoneNumber": "555", "PhoneAreaCode": "21", "PhoneCountryCode": "64"}]
        wanted = {"Name": "Zed", "PaymentTerms": terms, "ContactPersons": [person], "Phones": phones, **more}
        self.call("PUT", "/Contacts", {"Contacts": [wanted]})
        self.rows("/Contacts/Z-1")
        self.call("POST", "/Contacts", {"Contacts": [{"Name": "Zed", "FirstName": "Z"}]})
        self.call("POST", f"/Contacts/{ada}", {"PaymentTerms": terms})
        self.call("PUT", "/Contacts", {"Contacts": [{"Name": "Zed"}]}, 400)
        self.call("POST", "/Contacts", {"Contacts": [{"ContactID": NOWHERE}]}, query="summarizeErrors=false")

    def groups(self) -> None:
        """Contact groups and their members."""
        ada = self.id_of("contact", "ada")
        [group] = self.call("PUT", "/ContactGroups", {"ContactGroups": [{"Name": "Disputed"}]})["ContactGroups"]
        path = f"/ContactGroups/{group['ContactGroupID']}"
        members = {"Contacts": [{"ContactID": ada}]}
        self.call("PUT", f"{path}/Contacts", members)
        self.call("PUT", f"{path}/Contacts", members, 400)
        self.rows("/ContactGroups")
        self.rows(path)
        self.rows(f"/Contacts/{ada}")
        self.call("DELETE", f"{path}/Contacts/{ada}", status=204)
        self.call("PUT", f"{path}/Contacts", members)
        self.call("DELETE", f"{path}/Contacts", status=204)
        self.call("POST", path, {"ContactGroups": [{"Name": "Queried"}]})
        self.call("POST", path, {"Status": "DELETED"})
        self.call("PUT", f"{path}/Contacts", members, 400)

    def payments(self) -> None:
        """Payments made and deleted; batches."""
        self.court.people(do="pay_batch", invoices=["b13", "b14"], date=DAY, reference="both")
        account = self.rows("/Accounts", "where=" + quote('Code=="090"'))[0]["AccountID"]
        target = {"Invoice": {"InvoiceID": self.id_of("invoice", "euro")}, "Account": {"AccountID": account}}
        [paid] = self.call("PUT", "/Payments", {**target, "Amount": "10.00", "Date": DAY})["Payments"]
        self.call("POST", "/Payments", {"Payments": [{**target, "Amount": 5, "Reference": "cheque"}]})
        self.call("PUT", "/Payments", {"Payments": [{**target, "Amount": 5000}]}, 400)
        self.call("PUT", "/Payments", {"Payments": [{**target, "Amount": 5000}]}, query="summarizeErrors=false")
        for query in ("", "page=1"):
            self.rows("/Payments", query)
        self.rows(f"/Payments/{paid['PaymentID']}")
        self.call("POST", f"/Payments/{paid['PaymentID']}", {"Payments": [{"Status": "DELETED"}]})
        self.call("POST", f"/Payments/{paid['PaymentID']}", {"Payments": [{"Status": "DELETED"}]}, 400)
        self.rows(f"/Payments/{paid['PaymentID']}")
        batch = self.rows("/BatchPayments")[0]["BatchPaymentID"]
        self.rows(f"/BatchPayments/{batch}")
        self.call("GET", f"/BatchPayments/{NOWHERE}", status=404)

    def credits(self, noun: str, ref: str, target: str) -> None:
        """One kind of credit: read, allocate, take back."""
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", noun).lower()
        for query in ("", "page=1", "page=1&summaryOnly=true"):
            self.rows(f"/{noun}s", query)
        path = f"/{noun}s/{self.id_of(kind, ref)}"
        self.rows(path)
        part = {"Amount": 10.5, "Date": DAY, "Invoice": {"InvoiceID": self.id_of("invoice", target)}}
        self.call("PUT", f"{path}/Allocations", {"Allocations": [part]})
        self.call("PUT", f"{path}/Allocations", {"Allocations": [{**part, "Amount": 1000}]}, 400)
        self.call(
            "PUT", f"{path}/Allocations", {"Allocations": [{**part, "Amount": 1000}]}, query="summarizeErrors=false"
        )
        [one, *_] = [each for each in self.rows(path)[0]["Allocations"] if each["Amount"] == 10.5]
        self.rows(f"/Invoices/{self.id_of('invoice', target)}")
        gone = f"{path}/Allocations/{one['AllocationID']}"
        assert self.call("DELETE", gone)["IsDeleted"] is True
        self.call("DELETE", gone, status=404)

    def credit_notes(self) -> None:
        """Credit notes written, printed, voided, and one paid back."""
        line = {"Description": "Goodwill", "Quantity": 1, "UnitAmount": 20, "AccountCode": "200"}
        contact = {"ContactID": self.id_of("contact", "bob")}
        wanted = {"Type": "ACCRECCREDIT", "Contact": contact, "LineItems": [line], "Date": DAY}
        [note] = self.call("PUT", "/CreditNotes", {"CreditNotes": [{**wanted, "Status": "AUTHORISED"}]})["CreditNotes"]
        path = f"/CreditNotes/{note['CreditNoteID']}"
        [draft] = self.call("POST", "/CreditNotes", {"CreditNotes": [wanted]})["CreditNotes"]
        self.call("POST", f"/CreditNotes/{draft['CreditNoteID']}", {"Reference": "goodwill"})
        self.call("PUT", "/CreditNotes", {"CreditNotes": [{**wanted, "CreditNoteNumber": "CN-0001"}]}, 400)
        account = self.rows("/Accounts", "where=" + quote('Code=="090"'))[0]["AccountID"]
        back = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"AccountID": account}, "Amount": 5}
        self.call("PUT", "/Payments", {"Payments": [{**back, "Date": DAY}]})
        self.rows(path)
        self.rows("/Payments", "page=1")
        assert self.call("GET", f"{path}/pdf", accept="application/pdf").startswith(b"%PDF")
        self.call("POST", f"/CreditNotes/{draft['CreditNoteID']}", {"Status": "DELETED"})

    def notes_and_files(self) -> None:
        """History and attachments of all that has them."""
        note = {"HistoryRecords": [{"Details": "Reminder sent"}]}
        for plural, kind, ref in (
            ("Invoices", "invoice", "open"),
            ("Contacts", "contact", "ada"),
            ("Payments", "payment", "p1"),
            ("CreditNotes", "credit_note", "cn"),
            ("Overpayments", "overpayment", "over"),
            ("Prepayments", "prepayment", "pre"),
        ):
            path = f"/{plural}/{self.id_of(kind, ref)}/History"
            self.call("PUT", path, note)
            self.call("POST", path, note)
            self.call("PUT", path, {"HistoryRecords": [{"Details": "x" * 2501}]}, 400)
            self.rows(path)
        for plural, kind, ref in (
            ("Invoices", "invoice", "open"),
            ("Contacts", "contact", "ada"),
            ("CreditNotes", "credit_note", "cn"),
        ):
            path = f"/{plural}/{self.id_of(kind, ref)}"
            file = f"{path}/Attachments/plan.pdf"
            self.call("PUT", file, b"%PDF-1", query="IncludeOnline=true", content_type="application/pdf")
            self.call("POST", file, b"%PDF-2", content_type="application/pdf")
            self.rows(f"{path}/Attachments")
            assert self.call("GET", file, accept="application/octet-stream") == b"%PDF-2"
            self.call("GET", f"{path}/Attachments/none.pdf", status=404)
            self.call("PUT", f"{path}/Attachments/wh?t.pdf", b"x", 400)
            self.rows(path)

    def refusals(self) -> None:
        """What is refused before it reaches a resource, and what no resource can read."""
        self.call("GET", "/Invoices", status=400, query="where=Type%3D%3D")
        self.call("GET", "/Invoices", status=412, if_modified_since="yesterday")
        self.call("PUT", "/Invoices", b"{", 400)
        self.call("PUT", "/Invoices", {"Bills": []}, 400)
        self.call("PUT", "/Invoices", b"<Invoice/>", 415, content_type="application/xml")
        self.call("GET", f"/Invoices/{NOWHERE}", status=404)
        self.call("DELETE", "/Invoices", status=405)
        self.call("GET", "/Nothing", status=404)
        self.call("GET", "/Journals", status=501)
        self.call("GET", "/Invoices", status=401, authorization="")
        self.call("GET", "/Invoices", status=403, xero_tenant_id=NOWHERE)
        path, note = f"/Invoices/{self.id_of('invoice', 'open')}/History", {"HistoryRecords": [{"Details": "once"}]}
        self.call("PUT", path, note, idempotency_key="k-1")
        self.call("PUT", path, {"HistoryRecords": [{"Details": "other"}]}, 400, idempotency_key="k-1")
        self.court.order("switch", {"aged_report_role": False})
        ada = self.id_of("contact", "ada")
        self.call("GET", "/Reports/AgedReceivablesByContact", status=403, query=f"contactId={ada}")
        self.court.order("limits", {"off": False, "minute": 0})
        assert self.call("GET", "/Invoices", status=429) == b""
        self.court.order("limits", {"off": True})
        connections = json.loads(self.send("GET", "/connections").body)
        assert self.send("DELETE", f"/connections/{NOWHERE}").status == 404
        self.court.advance(1800)
        self.call("GET", "/Invoices", status=401)
        assert len(connections) == 1

    def farewell(self, token: dict[str, Any]) -> None:
        """Drop the connection with a fresh token, and revoke that; afterwards nothing more can be read."""
        self.token = token["access_token"]
        [connection] = json.loads(self.send("GET", "/connections").body)
        assert self.send("DELETE", f"/connections/{connection['id']}").status == 204
        self.call("GET", "/Invoices", status=403)
        twin = self.court.twin
        form = {"token": token["refresh_token"], "client_id": twin.client_id, "client_secret": twin.client_secret}
        revoked = self.send("POST", "/connect/revocation", urlencode(form).encode(), authorization="")
        assert (revoked.status, revoked.body) == (200, b"")
