"""A seeded simulation of the write-back: the product's own services, against the Xero twin, in virtual time.

One process, one baton. Each actor (agents, bookkeeper, customer, operator) is a thread and exactly one runs; the baton
is passed at port calls (before a request, between the twin's commit and the answer, after the answer; where a writing
transaction begins, before it commits, after it) in an order drawn from the seed. A crash is a `BaseException` raised at
a port; no port answers a dead process, so that no `finally` tidies up after it. Waiting is the only thing that makes
time pass. The same seed is the same run: its trace hash is tested, in this process and in another.

`python -m tests.simulation --seeds N --first K --jobs 2` runs seeds and minimises what breaks; `--replay FILE` plays a
script (or a seed); `--mutants` hunts the planted bugs. What was found once lies in `regressions/`.

| file | what it is |
| --- | --- |
| `baton` | whose turn it is, virtual time, crashes, breaches |
| `ports` | the product's ports: HTTP in front of the twin, SQLite, clock, mail server or folder |
| `office` | a connected project, prepared once, copied for each run |
| `kinds` | tables: kinds of effect, stories that bring them about |
| `script`, `troubles`, `events` | a run as data; what is drawn; when it strikes |
| `people`, `run` | what people do; phase 1 with troubles, phase 2 healed for three days |
| `oracle`, `aftermath` | the judge: at the wire, and in the end |
| `mutants`, `minimise`, `campaign` | planted bugs; shorter scripts; many seeds |

Invariants (reliability plan, 3.4). The judge reads the twin's log, the mail server's, and committed rows:

- I1 no double: each effect changes the ledger at most once; the contact group is made once. A state (tag, expected
  date) that a person undid while its outcome was unknown may be set again: no ledger can tell those apart.
- I2 no loss: after three healed days everything is done, refused by the ledger, or dropped for a change that
  happened.
- I3 no phantom: every write that leaves is a committed intent in force, same bytes, same key; no change without one.
- I4 ends are true: done = once (or found so), refused and cancelled = never.
- I5 at most once: letters and the ledger's e-mails.
- I6 precondition: nothing leaves about what was paid, voided or changed more than 60 s before its intent, nor after a
  query, hold or switch to observe was recorded.
- I7 order: reports after their acts; one letter a day and two in seven days to a mailbox; contact hours.
- I8 one sender: who begins to send holds the newest lease; no two requests for one effect are on the wire.
- I9 money: a plan's instalments are what it covers.
- I10 sync: after rounds of changes alone the mirror is the ledger: invoices, addresses, groups. Not the dates of paid
  invoices, which Xero changes without a stamp.
- I11 tokens: the connection lives; no refresh token is used twice where both answers arrived.
- I12 audit: the chain verifies; each start and each change of state is told once, in an order that the states allow.
- I14 secrets: no token or secret lies open in the database or in a letter.
- I15 liveness: nothing is left open; at most twenty attempts; no run goes on for ever.
- I16 people win: a date that a person set is not overwritten where a look would have shown it.

Not checked: I13 (one tenant and one organisation a run); of I7 the rungs of the ladder (the policy's own tests); of I15
the ledger's limits (the twin enforces them, agents run into them and wait); of I16 tags, beyond I1's words.

Assumptions, as in 3.3: a request commits at most 80 s after its first byte left (S2), what was committed can be read
100 s later (S3), a process stands still at most 20 s between its last look at the clock and the first byte (S5). I0
stands for what must never happen at all: an unexpected exception, a request inside a writing transaction.
"""
