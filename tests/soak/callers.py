"""Those who use the vault all the time, each in a thread of its own; here services, which read, ask, bring
and listen. Each holds every answer against what the model says (model.py)."""
import json
import random
import time

from lines import Line, Unanswered
from model import Glance

ADULT_FIELDS = ["identity.is_adult", "reader.visitor", "reader.token"]
WORK_FIELDS = {"identity.birth_date": "year", "address.postal": None, "employment.status": None}
CONTEXT = {"assurance_at_least": "substantial"}


def ask_of(service, subject):
    if service.purpose == "library.lending":
        return {"subject": subject, "purpose": service.purpose, "fields": ADULT_FIELDS}
    return {"subject": subject, "purpose": service.purpose, "fields": WORK_FIELDS, "context": CONTEXT}


class Caller:
    """What all of them have: a pause between two acts, and the end."""

    def __init__(self, house, pause_s):
        self.house, self.tally, self.clock, self.pause_s = house, house.tally, house.clock, pause_s
        house.callers += 1
        self.number = house.callers
        self.random = random.Random(f"{house.seed} {self.number}")

    def run(self):
        while not self.house.ended.is_set():
            began = time.monotonic()
            try:
                self.act()
            except Unanswered:
                pass
            except Exception as failure:  # an answer of another form than was promised
                if not self.house.outages.asked_for(began):
                    self.tally.error(f"{type(self).__name__} could not read an answer", repr(failure))
            self.house.ended.wait(self.pause_s * self.random.uniform(0.5, 1.5))

    def refused(self, what, answer):
        """Neither right nor asked for."""
        self.tally.error(f"{what} was answered {answer.status}", f"{answer.place} {answer.body[:200]}")


class Reading(Caller):
    """What services that read have in common: whom they ask about, and what they may be told."""

    def choose(self, service):
        """Mostly the same few, whose files are open; else anybody, also who was erased."""
        people = self.house.people
        citizen = self.random.choice(people[:30] if self.random.random() < 0.6 else people)
        return citizen if service.id in citizen.subjects and service.id not in citizen.alone else None

    def check(self, glance, answer):
        """One release, as it was answered."""
        log, released = answer["log"], answer["released"]
        self.tally.acknowledge(log)
        if glance.service.purpose == "library.lending":
            self._check_library(glance, released)
            return
        may, citizen = glance.may(), glance.citizen
        if bool(released) not in may:
            self.wrong(glance, released, "released though it was not given" if released else "withheld though it was given")
        elif released:
            wanted = (citizen.birth_year, "Rennes")
            got = (int(released["identity.birth_date"]["value"]), released["address.postal"]["value"])
            got = (got[0], got[1]["city"] if isinstance(got[1], dict) else got[1])
            if got != wanted:
                self.tally.error("a wrong value was released", f"{got}, not {wanted}")
            if released["employment.status"]["value"] not in glance.statuses():
                self.tally.is_stale("a former value was released", citizen.reference)

    def wrong(self, glance, released, what):
        detail = f"{glance.citizen.reference} to {glance.service.id}: {glance.citizen.consents[glance.service.id].past[-3:]}"
        (self.tally.is_stale if released else self.tally.error)(what, detail)

    def _check_library(self, glance, released):
        citizen = glance.citizen
        lives, may = glance.lives(), glance.may()
        if ("identity.is_adult" in released) not in lives:
            self.wrong(glance, "identity.is_adult" in released, "of one who is erased, or none of one who is there")
        if ("reader.token" in released) not in may:
            self.wrong(glance, "reader.token" in released, "reader.token as it was not decided")
        if "reader.visitor" in released:
            visitor = released["reader.visitor"]["value"]
            if citizen.visitor not in (None, visitor):
                self.tally.error("another pseudonym", citizen.reference)
            citizen.visitor = visitor


class Reader(Reading):
    """A service that reads one citizen after the other, some twice over by a key of its own."""

    def __init__(self, house, service, pause_s):
        super().__init__(house, pause_s)
        self.service, self.line, self.count = service, Line(house, "services", service.identity), 0

    def act(self):
        citizen = self.choose(self.service)
        if not citizen:
            return
        self.count += 1
        if self.count % 17 == 0:
            self.evaluate(citizen)
        elif self.count % 29 == 0:
            self.repeat(citizen)
        else:
            self.read(citizen)

    def read(self, citizen):
        mark, glance = self.service.active.mark(), Glance(self.clock, citizen, self.service)
        answer = self.line.send("release", "POST", "/v1/releases", ask_of(self.service, citizen.subjects[self.service.id]))
        active = self.service.active.since(mark)
        if answer.status == 200 and True in active:
            self.check(glance, answer.json())
        elif answer.status == 200:
            self.tally.is_stale("a suspended service was answered", self.service.id)
        elif not (answer.status in (401, 403) and False in active):
            self.refused("a release", answer)

    def repeat(self, citizen):
        key, jumps = f"soak-{self.number}-{self.count}", self.clock.wait()
        keys = citizen.keys
        mark, glance = self.service.active.mark(), Glance(self.clock, citizen, self.service)
        ask = ask_of(self.service, citizen.subjects[self.service.id])
        first = self.line.send("release", "POST", "/v1/releases", ask, Idempotency_Key=key)
        if first.status != 200:
            if self.service.active.since(mark) == {True}:
                self.refused("a release with a key", first)
            return
        self.check(glance, first.json())
        again = self.line.send("release", "POST", "/v1/releases", ask, Idempotency_Key=key)
        if jumps != self.clock.begun or keys % 2 or keys != citizen.keys:
            return  # it is kept for a day, under the citizen's key
        if again.status == 200 and again.body != first.body:
            self.tally.error("a repetition was another answer", again.body[:200])
        elif again.status != 200 and len(glance.may()) == 1 and self.service.active.since(mark) == {True}:
            self.refused("a repetition", again)

    def evaluate(self, citizen):
        mark, glance = self.service.active.mark(), Glance(self.clock, citizen, self.service)
        field = "reader.token" if self.service.purpose == "library.lending" else "employment.status"
        answer = self.line.send("evaluation", "POST", "/access/v1/evaluation", {
            "subject": {"type": "service", "id": self.service.id},
            "action": {"name": "read", "properties": {"purpose": self.service.purpose}},
            "resource": {"type": field, "id": citizen.subjects[self.service.id]}, "context": CONTEXT})
        if answer.status != 200:
            if self.service.active.since(mark) == {True}:
                self.refused("an evaluation", answer)
            return
        decision = answer.json()["decision"]
        if decision not in glance.may():
            self.wrong(glance, decision, "evaluated otherwise than decided")


class BatchReader(Reading):
    """A service that reads many in one request."""

    def __init__(self, house, service, pause_s):
        super().__init__(house, pause_s)
        self.service, self.line = service, Line(house, "services", service.identity)

    def act(self):
        citizens = [citizen for citizen in (self.choose(self.service) for _ in range(self.random.randint(2, 12))) if citizen]
        if not citizens:
            return
        glances = [Glance(self.clock, citizen, self.service) for citizen in citizens]
        asks = [ask_of(self.service, citizen.subjects[self.service.id]) for citizen in citizens]
        began = time.monotonic()
        answer = self.line.send("batch", "POST", "/v1/releases/batch", {"requests": asks})
        if answer.status != 200:
            self.refused("a batch", answer)
            return
        for glance, item in zip(glances, answer.json()["answers"]):
            if item["status"] == 200:
                self.check(glance, item["answer"])
            elif not (item["status"] == 503 and self.house.outages.asked_for(began)):
                self.tally.error(f"in a batch {item['status']}", json.dumps(item)[:200])


class Bringing(Caller):
    """A service that brings values."""

    def __init__(self, house, service, pause_s):
        super().__init__(house, pause_s)
        self.service, self.line, self.count = service, Line(house, "services", service.identity), 0

    def act(self):
        citizen = self.random.choice(self.house.people)
        if True in citizen.gone.now() or not citizen.busy.acquire(blocking=False):
            return
        try:
            self.count += 1
            value = f"training-{self.count}"
            if True in citizen.gone.now() or self.service.id not in citizen.subjects:
                return
            citizen.status.begin(value)
            answer = self.line.send("deposit", "PUT", f"/v1/subjects/{citizen.subjects[self.service.id]}/fields",
                                    {"fields": {"employment.status": {"value": value}}})
            if answer.status == 200:
                citizen.status.settle(value)
                self.tally.acknowledge(answer.json()["log"])
            else:
                self.refused("a deposit", answer)
        finally:
            citizen.busy.release()


class Feed(Caller):
    """A service that listens for changes; and asks, and lets its asking run out."""

    def __init__(self, house, service):
        super().__init__(house, 0.01)
        self.service, self.line = service, Line(house, "services", service.identity)
        self.after, self.seen, self.left_open = 0, [], []

    def act(self):
        answer = self.line.call("feed", "GET", f"/v1/consents?after={self.after}&wait=2")
        if answer.status != 200:
            self.refused("the feed", answer)
            return
        changes = answer.json()
        numbers = [change["n"] for change in changes["changes"]]
        if numbers != sorted(set(numbers)) or any(n <= self.after for n in numbers):
            self.tally.error("the feed is not in order", f"after {self.after}: {numbers}")
        self.seen += [(change["n"], change["change"]) for change in changes["changes"]]
        self.after = changes["next"]
        self._wait_for_nobody()

    def _wait_for_nobody(self):
        """Requests that nobody answers: pending, and expired after 14 days."""
        if len(self.left_open) < 5:
            first_s = self.clock.earliest()
            answer = self.line.send("access request", "POST", "/v1/access-requests",
                                    {"purpose": self.service.purpose, "fields": self.service.asks})
            if answer.status == 201:
                self.left_open.append((answer.json()["id"], first_s + 14 * 86400, self.clock.latest() + 14 * 86400))
            else:
                self.refused("an access request", answer)
        else:
            request, ends_first, ends_last = self.random.choice(self.left_open)
            earliest_s = self.clock.earliest()
            answer = self.line.call("access request", "GET", f"/v1/access-requests/{request}")
            may = {"pending"} if earliest_s < ends_last else set()
            may |= {"expired"} if self.clock.latest() >= ends_first else set()
            if answer.status != 200 or answer.json()["state"] not in may:
                self.tally.error("a request that nobody answered", f"{answer.status}, wanted {may}: {answer.body[:150]}")
            elif answer.json()["state"] == "expired":
                self.left_open = [other for other in self.left_open if other[0] != request]
