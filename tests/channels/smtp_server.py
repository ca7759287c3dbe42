"""A scripted mail server on a loopback socket: aiosmtpd with one thing going wrong."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "kauri", "right-pass"

CUT = "cut"  # close the connection instead of answering
HANG = "hang"  # never answer
GARBAGE = "garbage"  # answer something that is no SMTP


class ScriptedSmtp(SMTP):
    """Answers as the script says at "helo", "mail", "rcpt", "data" (the verb), "content" (after the dot)."""

    def __init__(self, script: Mapping[str, str], handler: Any, **options: Any) -> None:
        super().__init__(handler, **options)
        self.script = script

    async def _misbehave(self, verb: str) -> bool:
        match self.script.get(verb):
            case None:
                return False
            case "cut":
                assert isinstance(self.transport, asyncio.Transport)
                self.transport.abort()
            case "hang":
                await asyncio.Event().wait()
            case "garbage":
                await self.push("<html>not smtp</html>")
            case answer:
                await self.push(answer)
        return True

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehave("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehave("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.script.get("data") == "cut-content":
            await self.push("354 go on")
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
        elif not await self._misbehave("data"):
            await super().smtp_DATA(arg)


class Inbox:
    """Keeps what arrived; misbehaves after the final dot if the script says so."""

    def __init__(self, script: Mapping[str, str]) -> None:
        self.script = script
        self.arrived: list[Envelope] = []

    async def handle_DATA(self, server: ScriptedSmtp, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self.script.get("content", "250 queued as 42")
        if answer.startswith(("250", CUT, HANG, GARBAGE)):
            self.arrived.append(envelope)
        if answer == CUT:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if answer == HANG:
            await asyncio.Event().wait()
        return "<html>not smtp</html>" if answer == GARBAGE else answer


class ScriptedServer(Controller):
    """Listens on a free port until `stop()`."""

    def __init__(self, script: Mapping[str, str], **options: Any) -> None:
        self.script = script
        self.inbox = Inbox(script)
        super().__init__(self.inbox, hostname="127.0.0.1", port=0, **options)

    def factory(self) -> SMTP:
        return ScriptedSmtp(self.script, self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        """The port is known only now. One connection, to see that the server answers."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection((self.hostname, self.port), timeout=5) as plain:
            if self.ssl_context is None:
                plain.recv(1)
                return
            unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            unverified.check_hostname = False
            unverified.verify_mode = ssl.CERT_NONE
            with unverified.wrap_socket(plain) as secure:
                secure.recv(1)


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for 127.0.0.1, and the file that a client has to trust for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)  # noqa: TID251 - TLS looks at the machine's clock, not at ours
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "cert.pem", folder / "key.pem"
    trusted.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, secret)
    return context, trusted
