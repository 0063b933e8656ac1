"""What is so in the vault, as far as those know who made it so: what each answer is held against.

Whatever changes is Known: one value, or several while it is being changed, or after the answer to a
change was lost in a restart. Who reads remembers where they began (mark) and may be told anything that
was possible since. So nothing has to stand still to be checked, and what was acknowledged before a
question was put must show in its answer.
"""
import collections
import os
import struct
import threading
import time

DAY_S = 86400
SLACK_S = 2  # vaultd counts whole seconds


class Known:
    def __init__(self, value):
        self.past = [frozenset((value,))]

    def now(self):
        return self.past[-1]

    def mark(self):
        return len(self.past) - 1

    def since(self, mark):
        return frozenset().union(*self.past[mark:])

    def begin(self, *values):
        """A change is under way: it counts already, or not yet."""
        self.past.append(self.now() | frozenset(values))

    def settle(self, value):
        self.past.append(frozenset((value,)))


Consent = collections.namedtuple("Consent", "state ends_first ends_last")
NONE = Consent("none", 0, 0)


def given(first_s, last_s):
    return Consent("given", first_s, last_s)


class Clock:
    """vaultd's wall clock, which jumps by days: see tests/support/moved_clock.c."""

    def __init__(self, path):
        self.low_s, self.high_s, self.begun, self.settled = 0, 0, 0, 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._write()

    def _write(self):
        os.pwrite(self._file, struct.pack("=q", self.high_s), 0)

    def jump(self, seconds):
        self.begun += 1
        self.high_s += seconds
        self._write()
        time.sleep(0.5)  # who read it before has done what they read it for
        self.low_s = self.high_s
        self.settled += 1

    def wait(self):
        """Until no jump is under way; how many there were."""
        while self.begun != self.settled:
            time.sleep(0.1)
        return self.settled

    def earliest(self):
        return time.time() + self.low_s - SLACK_S

    def latest(self):
        return time.time() + self.high_s + SLACK_S


class Citizen:
    def __init__(self, number, has_login):
        self.number, self.has_login = number, has_login
        self.reference = f"T-{number}"
        self.busy = threading.Lock()  # one change at a time; reading needs no leave
        self.subjects = {}
        self.gone = Known(False)
        self.status = Known(f"seeking-{number}")
        self.consents = collections.defaultdict(lambda: Known(NONE))
        self.alone = set()  # services that must not read while a consent for one use is tried
        self.gifts = collections.Counter()  # acknowledged, by service
        self.lost_gifts = collections.Counter()  # whose answer was lost
        self.visitor = None
        self.keys = 0  # twice as often as they had new ones; odd while they get them
        self.browser = None
        self.password = f"mot de passe {number}"  # the import's, until their first sign-in
        self.own_password = f"quatre verbes sans rapport {number}"

    @property
    def birth_year(self):
        return 1950 + self.number % 50

    def row(self):
        """As an import has it."""
        row = {"reference": self.reference, "values": {
            "identity.name": {"value": f"Testine Inventée {self.number}"},
            "identity.birth_date": {"value": f"{self.birth_year}-05-17", "as_of": "2026-01-02", "source": "civil register"},
            "address.postal": {"value": {"street": "rue des Essais", "postcode": "35000", "city": "Rennes"}},
            "employment.status": {"value": f"seeking-{self.number}"}}}
        if self.has_login:
            row |= {"login": f"testine-{self.number}", "password": self.password, "language": "fr"}
        return row


class Glance:
    """What may be released of a citizen to a service, from now until it is looked at."""

    def __init__(self, clock, citizen, service):
        self.clock, self.citizen, self.service = clock, citizen, service
        self.consent, self.gone, self.status = citizen.consents[service.id].mark(), citizen.gone.mark(), citizen.status.mark()
        self.earliest_s = clock.earliest()

    def lives(self):
        """Whether they are there: both while they are erased."""
        return {not gone for gone in self.citizen.gone.since(self.gone)}

    def may(self):
        """What it may be now: {True}, {False} or both."""
        found, latest_s = set(), self.clock.latest()
        for consent in self.citizen.consents[self.service.id].since(self.consent):
            if consent.state != "given" or latest_s >= consent.ends_first:
                found.add(False)
            if consent.state == "given" and self.earliest_s < consent.ends_last:
                found.add(True)
        lives = self.lives()
        if False in lives:
            found.add(False)
        return found if True in lives else {False}

    def statuses(self):
        return self.citizen.status.since(self.status)


class Outages:
    """When an answer may be missing because the operator wanted it so."""

    def __init__(self):
        self.generation, self.count, self._begun, self._ended = 0, 0, 0, 0.0

    def __enter__(self):
        self.count += 1
        self._begun += 1

    def __exit__(self, *unused):
        self._ended = time.monotonic() + 0.5  # what was under way when it ended
        self.generation += 1  # kept connections are of the former process
        self._begun -= 1

    def asked_for(self, began):
        """Whether a call that began then, and failed now, had to expect it."""
        return self._begun > 0 or began < self._ended


class Tally:
    """What was answered, and what was wrong."""

    def __init__(self, folder):
        self._mutex = threading.Lock()
        self.doing = "nothing"  # the operator
        self.answers = self.asked = self.errors = self.stale = 0
        self.kinds, self.wrong = collections.Counter(), collections.Counter()
        self._report = open(os.path.join(folder, "wrong"), "w", encoding="utf-8")
        self._acknowledged = open(os.path.join(folder, "acknowledged"), "w", encoding="ascii")

    def answered(self, kind):
        with self._mutex:
            self.answers += 1
            self.kinds[kind] += 1

    def missing(self):
        with self._mutex:
            self.asked += 1

    def error(self, what, detail=""):
        with self._mutex:
            self.errors += 1
            self._say("error", what, detail)

    def is_stale(self, what, detail=""):
        with self._mutex:
            self.stale += 1
            self._say("stale", what, detail)

    def _say(self, kind, what, detail):
        self.wrong[f"{kind}: {what}"] += 1
        if self.wrong[f"{kind}: {what}"] <= 20:
            line = f"{time.strftime('%H:%M:%S')} {kind}: {what} (operator: {self.doing}): {detail}"[:400]
            print(line, file=self._report, flush=True)
            print(line, flush=True)

    def acknowledge(self, log):
        """The vault has said that this is in its log."""
        with self._mutex:
            print(log["index"], log["leaf"], file=self._acknowledged, flush=True)
