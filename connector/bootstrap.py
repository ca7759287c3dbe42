"""The only wiring: settings to database, clock, adapters, channel, configuration and services."""

from __future__ import annotations

import gc
import getpass
import importlib
import os
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import adapters
from connector.clock import StoppedClock, SystemClock, SystemIds, SystemRandom, clock_for, is_loopback
from connector.errors import ConfigError, UserError
from connector.service.wiring import Wiring
from connector.settings import Settings
from connector.store import connections, timeline
from connector.store.db import Database

# What only some commands need is imported where it is used: holidays, templates, YAML and the consent's libraries cost
# more than the rest of a command's start (bench).
if TYPE_CHECKING:
    from connector.channels.render import Letterbook
    from connector.config.layers import LoadedPolicy
    from connector.config.mapping import Mapping
    from connector.domain.dates import Calendar
    from connector.ports import Channel, Clock, HttpClient, Ledger
    from connector.service import connected, consent
    from connector.service.connect import Connected, ConnectWiring
    from connector.store.organisations import OrganisationRow
    from connector.vault import Vault

TENANT = "default"
Way = Literal["browser", "link", "paste", "auto", "custom"]
PAGES_IN_FLIGHT = 5


class ServedSandbox(Protocol):
    """A running sandbox."""

    base_url: str
    client_id: str
    client_secret: str
    organisation: dict[str, str]
    notes: tuple[str, ...]  # what was left out of recorded answers

    def stop(self) -> None: ...


@cache
def settle() -> None:
    """Collect garbage less often. Reading makes records by the hundred thousand and hardly ever a cycle: looking for
    cycles as often as Python does by itself took a quarter of a pull's CPU (bench). And let threads take turns sooner:
    one that fetches a page needs the interpreter for a moment for each of its pieces, and waited 5 ms for it."""
    gc.freeze()  # what is imported stays for good
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(0.0005)


@contextmanager
def open_project(
    folder: Path, *, who: str | None = None, clock: Clock | None = None, joining: str = ""
) -> Iterator[Wiring]:
    """The services of a project folder. Raises `UserError` when it is none, `ConfigError` for a bad setting.

    `joining`: the base URL of a ledger about to be connected: a project's first sandbox brings its own time.
    """
    from connector import http

    settle()
    root = project_root(folder)
    settings = Settings.load(root)
    with closing(http.client()) as client:
        chosen = clock or _clock(settings, client, joining)
        with closing(Database.open(settings.database, chosen)) as db:
            db.migrate() if db.is_empty() else db.check_schema()
            yield _wiring(root, settings, db, chosen, client, who)


def migrate(folder: Path) -> None:
    """Bring a project's database to this version's tables. Raises `UserError` for a newer one's."""
    settings = Settings.load(project_root(folder))
    with closing(Database.open(settings.database, SystemClock())) as db:
        db.migrate()


def project_root(folder: Path) -> Path:
    """The folder, made absolute. Raises `UserError` when it is no project."""
    root = folder.resolve()
    if not (root / "policy.yaml").is_file():
        raise UserError(
            f"{root} is not a dunwell project: it has no policy.yaml",
            not_done="nothing was read or written",
            next_step="run `dunwell init`, or name the folder with --project",
        )
    return root


def _clock(settings: Settings, client: HttpClient, joining: str) -> Clock:
    """The sandbox's clock when every connection is a loopback sandbox, else real time."""
    with closing(Database.open(settings.database, SystemClock())) as db:
        if db.is_empty():
            return clock_for([joining] if joining else [], client)
        with db.reading(TENANT) as tx:
            rows = connections.all(tx)
            newest = timeline.latest(tx)
    # Where nothing is connected any more, time stays the time by which the records were written.
    live = [row for row in rows if row.state != "disconnected"] or rows
    urls = [*(row.base_url for row in live), *([joining] if joining else [])]
    clock = clock_for(urls, client)
    gone = isinstance(clock, SystemClock) and bool(urls) and all(is_loopback(url) for url in urls)
    return StoppedClock(newest.at) if gone and newest is not None else clock


def _wiring(root: Path, settings: Settings, db: Database, clock: Clock, client: HttpClient, who: str | None) -> Wiring:
    ids = SystemIds()
    parts = _Parts(root, settings, db, clock, client)
    return Wiring(
        project=root,
        tenant=TENANT,
        db=db,
        clock=clock,
        ids=ids,
        random=SystemRandom(),
        http=client,
        ledger=parts.ledger,
        channel=cache(parts.channel),
        letters_lack=cache(parts.letters_lack),
        policy=parts.policy,
        mapping=lambda _row: parts.mapping,
        calendar=parts.calendar,
        letterbook=cache(lambda: letterbook(root)),
        pages=lambda: ThreadPoolExecutor(PAGES_IN_FLIGHT, thread_name_prefix="pages"),
        who=who or getpass.getuser(),
        holder=f"{socket.gethostname()}:{os.getpid()}:{ids.new()[:8]}",
    )


class _Parts:
    """What most commands need only some of: made when first asked for, then kept."""

    def __init__(self, root: Path, settings: Settings, db: Database, clock: Clock, client: HttpClient) -> None:
        self._root, self._settings, self._db, self._clock, self._client = root, settings, db, clock, client
        self._policies: dict[str, LoadedPolicy] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._calendars: dict[str, Calendar] = {}

    @cached_property
    def mapping(self) -> Mapping:
        from connector.config.mapping import load_mapping

        return load_mapping(self._root)

    @cached_property
    def _vault(self) -> Vault:
        return _vault(self._settings, self._db)

    def ledger(self, row: OrganisationRow) -> Ledger:
        """The organisation's ledger, one object a process: its limiter must see every call."""
        if row.id not in self._ledgers:
            self._ledgers[row.id] = self._connected(row)
        return self._ledgers[row.id]

    def _connected(self, row: OrganisationRow) -> Ledger:
        from connector.oauth.stored import StoredTokens

        adapter = adapters.load(row.record.ledger)
        with self._db.reading(TENANT) as tx:
            connection = connections.for_organisation(tx, row.id)
        if connection is None or connection.state == "disconnected":
            raise UserError(
                f"{row.record.name} is not connected", record=row.id, next_step=f"dunwell connect {row.record.ledger}"
            )
        credentials = self._settings.credentials(adapter.env_prefix, connection.client_id)
        tokens = StoredTokens(
            self._db, self._vault, self._client, adapter, connection.id, self._clock, SystemIds(), credentials,
            tenant=TENANT,
        )  # fmt: skip
        return adapter.connect(
            http=self._client, clock=self._clock, random=SystemRandom(), tokens=tokens,
            base_url=connection.base_url, ledger_id=row.record.ledger_id, groups=(self.mapping.dispute_tag,),
        )  # fmt: skip

    def policy(self, row: OrganisationRow) -> LoadedPolicy:
        """The project's policy in the organisation's currency. Raises `ConfigError`."""
        from connector.config.layers import load_policy

        currency = row.record.base_currency
        if currency not in self._policies:
            self._policies[currency] = load_policy(self._root, currency)
        return self._policies[currency]

    def calendar(self, row: OrganisationRow) -> Calendar:
        """Business days at the organisation's place, two years back and two ahead, also while policy.yaml is wrong.

        Whoever decides by them asks for the policy too, which is refused then.
        """
        from connector.config import calendars
        from connector.config.layers import load_sound_policy

        key = row.record.country
        if key not in self._calendars:
            year = self._clock.now().year
            policy = load_sound_policy(self._root, None, row.preset).policy  # quiet days cost no money
            self._calendars[key] = calendars.calendar(row.record.country, "", range(year - 2, year + 3), policy)
        return self._calendars[key]

    def channel(self) -> Channel:
        """SMTP where it is set up, else a folder. Raises `ConfigError` when mail has no sender."""
        return _channel(self._settings, self.mapping)

    def letters_lack(self) -> str:
        """What is missing before letters may reach customers, "" when nothing is."""
        return _letters_lack(self._settings, self.mapping)


def _letters_lack(settings: Settings, mapping: Mapping) -> str:
    """A folder nobody chose is a way to look at letters, not to send them; a letter must name where answers go."""
    lacking = []
    if not settings.smtp_host and settings.letters_folder is None:
        lacking.append(
            "no mail server is set (DUNWELL_SMTP_HOST), nor a folder chosen from which people mail letters "
            "(DUNWELL_LETTERS_FOLDER)"
        )
    if not (mapping.letters.reply_to or mapping.letters.sender_address):
        lacking.append("letters name no address that people read (letters.reply_to in mapping.yaml)")
    return "; ".join(lacking)


def _vault(settings: Settings, db: Database) -> Vault:
    from connector.vault import Vault

    with db.reading(TENANT) as tx:
        in_use = any(row.sealed for row in connections.all(tx))
    return Vault.open(settings, in_use=in_use)


def letterbook(root: Path) -> Letterbook:
    """The client's letters first, the shipped ones after."""
    from connector.channels.render import Letterbook, shipped

    return Letterbook([root / "letters" / "en", shipped()])


def _channel(settings: Settings, mapping: Mapping) -> Channel:
    from connector.channels.email import FolderChannel, SmtpChannel, SmtpSettings
    from connector.channels.message import Mailbox
    from connector.service.letters import UNSET_ADDRESS

    letters = mapping.letters
    address = settings.smtp_from or letters.sender_address or letters.reply_to
    if settings.smtp_host and not address:
        raise ConfigError(
            "mail has no sender",
            path="letters.sender_address",
            fix="set DUNWELL_SMTP_FROM, or letters.sender_address in mapping.yaml",
            not_done="nothing was sent",
        )
    sender = Mailbox(address or UNSET_ADDRESS, letters.sender_name or "Accounts")
    reply_to = letters.reply_to or sender.address
    if not settings.smtp_host:
        return FolderChannel(settings.letters, sender, reply_to)
    return SmtpChannel(
        SmtpSettings(
            host=settings.smtp_host,
            port=settings.mail_port,
            security=settings.smtp_security,
            username=settings.smtp_user,
            password=settings.mail_password(),
        ),
        sender,
        reply_to,
    )


def serve_sandbox(
    ledger: str, *, port: int, books: Path | None, now: str | None, seed: int, frozen: bool
) -> ServedSandbox:
    """Start a ledger's twin on loopback. Raises `UserError` for an unknown ledger, bad books or a taken port."""
    dotted = adapters.load(ledger).sandbox
    module = importlib.import_module(dotted)
    try:
        instant = datetime.fromisoformat(now) if now else None
    except ValueError:
        raise UserError(f"{now!r} is not an instant", next_step="write it like 2026-11-22T09:00:00+00:00") from None
    if instant is not None and instant.tzinfo is None:
        raise UserError(f"{now!r} has no time zone", next_step="write it like 2026-11-22T09:00:00+00:00")
    try:
        served: ServedSandbox = module.serve(port=port, books=books, now=instant, seed=seed, frozen=frozen)
    except ValueError as error:
        raise UserError(f"the books cannot be loaded: {error}", not_done="the sandbox did not start") from None
    except OSError as error:
        raise UserError(f"port {port} cannot be used: {error.strerror}", next_step="choose another --port") from None
    return served


def _default_port() -> int:
    from connector.service.connect import DEFAULT_PORT

    return DEFAULT_PORT


@dataclass(frozen=True)
class HowToConnect:
    """What the person at the command line chose for the consent."""

    ledger: str
    base_url: str = ""
    client_id: str = ""
    secret: str = field(default="", repr=False)  # from a prompt; "" = from the environment
    way: Way = "browser"
    organisation: str = ""
    port: int = field(default_factory=_default_port)


def needs_secret(w: Wiring, how: HowToConnect) -> bool:
    """Is a client id known whose secret is neither in the environment nor given?"""
    credentials = _settings(w).credentials(adapters.load(how.ledger).env_prefix, how.client_id)
    return credentials is not None and not credentials.secret and not how.secret


def connect_ledger(w: Wiring, how: HowToConnect, tell: Callable[[str], None], ask: Callable[[str], str]) -> Connected:
    """The consent flow. `tell` shows a line, `ask` reads one. Raises what `service.connect` raises."""
    from connector.config.layers import load_policy
    from connector.ports import Credentials
    from connector.service import connect as connecting

    wiring = _connect_wiring(w)
    adapter = adapters.load(how.ledger)
    credentials = _settings(w).credentials(adapter.env_prefix, how.client_id) or Credentials("")
    if how.secret:
        credentials = Credentials(credentials.client_id, how.secret)
    preset = load_policy(w.project).preset
    request = connecting.ConnectRequest(
        how.ledger, credentials, how.base_url, how.way == "custom", how.port, how.organisation, preset
    )
    if how.way == "custom":
        return connecting.connect_custom(wiring, request)
    pending = connecting.begin(wiring, request)
    return connecting.finish(wiring, request, pending, _answer(w, how, pending, tell, ask))


def _answer(
    w: Wiring, how: HowToConnect, pending: consent.Pending, tell: Callable[[str], None], ask: Callable[[str], str]
) -> str:
    from connector.service import consent

    match how.way:
        case "auto":
            return consent.self_consent(w.http, pending, how.organisation)
        case "paste":
            tell(f"open this address and consent:\n{pending.url}")
            return ask("the address you were sent back to")
        case "link" | "custom":
            return consent.receive(pending, lambda url: tell(f"open this address and consent:\n{url}"))
        case "browser":
            return consent.receive(pending, lambda url: _open(url, tell))


def _open(url: str, tell: Callable[[str], None]) -> None:
    tell(f"a browser opens for your consent; if it does not, open this address:\n{url}")
    webbrowser.open(url)


def list_connected(w: Wiring) -> tuple[connected.Listed, ...]:
    """Every organisation with the state of its connection."""
    from connector.service import connected

    return connected.listing(_connect_wiring(w))


def disconnect(w: Wiring, text: str) -> connected.Disconnected:
    """Revoke the consent and forget the tokens."""
    from connector.service import connected

    return connected.disconnect(_connect_wiring(w), text)


def vault(w: Wiring) -> Vault:
    """The project's secrets. Raises what `Vault.open` raises; a lost key is not replaced."""
    return _vault(_settings(w), w.db)


def _settings(w: Wiring) -> Settings:
    return Settings.load(w.project)


def _connect_wiring(w: Wiring) -> ConnectWiring:
    from connector.service.connect import ConnectWiring

    settings = _settings(w)
    return ConnectWiring(
        tenant=w.tenant,
        db=w.db,
        vault=_vault(settings, w.db),
        http=w.http,
        clock=w.clock,
        ids=w.ids,
        random=w.random,
        adapter=adapters.load,
        credentials=lambda adapter: settings.credentials(adapter.env_prefix),
        who=w.who,
    )
