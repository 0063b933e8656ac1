"""Those who use the vault all the time, each in a thread of its own: services that read, ask, bring and
listen, citizens who decide, an auditor and a monitoring system. Each holds every answer against what
the model says (model.py)."""
import json
import os
import random
import socket
import time

from lines import Browser, Line, Unanswered
from model import Glance, NONE, given

DAYS = 20
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
        self.random = random.Random(f"{house.seed} {type(self).__name__} {id(self)}")

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
        key, jumps = f"soak-{id(self)}-{self.count}", self.clock.wait()
        mark, glance = self.service.active.mark(), Glance(self.clock, citizen, self.service)
        ask = ask_of(self.service, citizen.subjects[self.service.id])
        first = self.line.send("release", "POST", "/v1/releases", ask, Idempotency_Key=key)
        if first.status != 200:
            if self.service.active.since(mark) == {True}:
                self.refused("a release with a key", first)
            return
        self.check(glance, first.json())
        again = self.line.send("release", "POST", "/v1/releases", ask, Idempotency_Key=key)
        if jumps != self.clock.begun:
            return  # a key is kept for a day
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


class Deciding(Caller):
    """Citizens at their pages: one after the other signs in, looks, gives, takes back."""

    def __init__(self, house, pause_s):
        super().__init__(house, pause_s)
        self.lines = {service.id: Line(house, "services", service.identity) for service in house.services}

    def act(self):
        citizen = self.random.choice([person for person in self.house.people if person.has_login])
        if not citizen.busy.acquire(blocking=False):
            return
        try:
            if citizen.gone.now() == {False} and all(service.id in citizen.subjects for service in self.house.services):
                self.visit(citizen)
        finally:
            citizen.busy.release()

    def visit(self, citizen):
        browser = citizen.browser = citizen.browser or Browser(self.house, citizen)
        try:
            if self.signed_in(browser):
                self.decide(browser)
        finally:
            browser.line.close()  # as a browser does that is left alone

    def decide(self, browser):
        citizen = browser.citizen
        for _ in range(self.random.randint(1, 3)):
            service = self.random.choice(self.house.services)
            consent = citizen.consents[service.id]
            state = self.state_of(consent)
            if state == "given" and service.id == "plie-rennes" and self.random.random() < 0.4:
                self.change(browser, service, "/suspend", "suspended")
            elif state == "suspended" and self.random.random() < 0.5:
                self.change(browser, service, "/resume", "given")
            elif state in ("given", "suspended"):
                self.look(browser) if self.random.random() < 0.5 else self.change(browser, service, "/withdraw", "none")
            elif state == "unknown":  # an answer was lost; or it ends now
                self.change(browser, service, "/withdraw", "none")
            elif self.random.random() < 0.2:
                self.once(browser, service)
            elif service.active.now() == {True}:
                self.give(browser, service)

    def state_of(self, known):
        """given, suspended, none (also when its time is over), or unknown."""
        if len(known.now()) > 1:
            return "unknown"
        consent = next(iter(known.now()))
        if consent.state == "none" or self.clock.earliest() >= consent.ends_last:
            return "none"
        return consent.state if self.clock.latest() < consent.ends_first else "unknown"

    def signed_in(self, browser):
        """A session goes on, and ends where a jump made it too old."""
        jumps = self.clock.settled
        if browser.signed_in_s and browser.jumps < jumps:
            if browser.page("/").status == 200:
                self.tally.is_stale("a session of days ago goes on", browser.citizen.reference)
            browser.signed_in_s = 0.0
        if browser.signed_in_s and time.monotonic() - browser.signed_in_s < 200:
            return True
        is_in = browser.sign_in()
        if is_in is False:
            self.tally.error("a sign-in was refused", browser.citizen.reference)
        return bool(is_in)

    def jumped(self, browser):
        """Whether the session ended meanwhile by a jump: then what was to be done was not."""
        return browser.jumps != self.clock.begun

    def look(self, browser):
        for path in ("/", "/accesses", "/data"):
            answer = browser.page(path)
            if answer.status != 200 and not self.jumped(browser):
                self.refused(f"the page {path}", answer)

    def give(self, browser, service, uses=None):
        """Ask, open by the code, give; True if the citizen was told so."""
        line, citizen = self.lines[service.id], browser.citizen
        ask = {"purpose": service.purpose, "fields": service.asks, "period_days": DAYS}
        answer = line.send("access request", "POST", "/v1/access-requests", ask | ({"uses": uses} if uses else {}))
        if answer.status != 201:
            if service.active.now() == {True}:
                self.refused("an access request", answer)
            return False
        request = answer.json()
        opened = browser.form("/request", form_token=browser.token(), code=request["code"])
        if opened.place != f"/request/{request['id']}":
            if not self.jumped(browser):
                self.refused("opening a request", opened)
            return False
        if not self._agree(browser, service, opened.place, uses):
            return False
        state = line.call("access request", "GET", f"/v1/access-requests/{request['id']}")
        if state.status != 200 or state.json()["state"] != "granted" or state.json()["subject"] != citizen.subjects[service.id]:
            if service.active.now() == {True}:
                self.refused("a request that was granted", state)
        return True

    def _agree(self, browser, service, place, uses):
        citizen, consent = browser.citizen, browser.citizen.consents[service.id]
        page = browser.page(place)
        form = {name: page.field(name) for name in ("form_token", "shown", "period")}
        days = int(form["period"] or 0) * 86400
        first_s = self.clock.earliest() + days
        consent.begin(given(first_s, float("inf")))
        try:
            answer = browser.form(place + "/give", **form)
        except Unanswered:
            citizen.lost_gifts[service.id] += 1
            raise
        if answer.status == 303 and answer.place == "/":
            consent.settle(given(first_s, self.clock.latest() + days))
            citizen.gifts[service.id] += 1
            return True
        if not self.jumped(browser):
            self.refused(f"giving, to {answer.place}", answer)
        citizen.lost_gifts[service.id] += 1
        return False

    def change(self, browser, service, path, state):
        """Withdraw, suspend or resume; then the service sees it at once."""
        citizen, consent = browser.citizen, browser.citizen.consents[service.id]
        before = consent.now()
        after = NONE if state == "none" else next(iter(before))._replace(state=state)
        token = browser.token()
        if not token:
            return
        consent.begin(after)
        answer = browser.form(path, form_token=token, service=service.id, purpose=service.purpose)
        if answer.status == 303 and answer.place in ("/", f"/services/{service.id}"):
            consent.settle(after)
            self.read(citizen, service)
        elif not self.jumped(browser):
            self.refused(path, answer)

    def read(self, citizen, service):
        if service.active.now() == {True}:
            reader = Reader(self.house, service, 0)
            reader.line = self.lines[service.id]
            reader.read(citizen)

    def once(self, browser, service):
        """A consent for one use: it is used, and then there is nothing."""
        citizen, consent = browser.citizen, browser.citizen.consents[service.id]
        if service.active.now() != {True}:
            return
        citizen.alone.add(service.id)
        time.sleep(0.3)  # those who read it now
        try:
            if self.give(browser, service, uses=1):
                glance = Glance(self.clock, citizen, service)
                reader, ask = Reading(self.house, 0), ask_of(service, citizen.subjects[service.id])
                consent.begin(NONE)
                first = self.lines[service.id].send("release", "POST", "/v1/releases", ask)
                if first.status == 200:
                    glance.consent, answer = glance.consent, first.json()
                    self.tally.acknowledge(answer["log"])
                    name = "reader.token" if service.purpose == "library.lending" else "employment.status"
                    if name not in answer["released"] and not self.jumped(browser):
                        self.tally.error("a consent for one use gave nothing", citizen.reference)
                    consent.settle(NONE)
                    glance = Glance(self.clock, citizen, service)
                    second = self.lines[service.id].send("release", "POST", "/v1/releases", ask)
                    if second.status == 200:
                        reader.check(glance, second.json())
        finally:
            citizen.alone.discard(service.id)


class Auditing(Caller):
    """An auditor: searches, figures, state, looks, and keeps checkpoints."""

    def __init__(self, house, pause_s, checkpoints_each_s):
        super().__init__(house, pause_s)
        self.line, self.count, self.size = Line(house, "auditors", house.auditor), 0, 0
        self.each_s, self.kept_s, self.kept = checkpoints_each_s, 0.0, 0

    def act(self):
        self.count += 1
        paths = ("/v1/entries?limit=100", "/v1/entries?before=999999999999999999&limit=50", "/v1/state", "/log/checkpoint",
                 "/v1/figures?of=event&by=month", "/v1/entries?event=withdraw&limit=20", "/v1/looks", "/entries")
        path = paths[self.count % len(paths)]
        if self.count % 40 == 0:
            self.look()
            return
        answer = self.line.call("audit", "GET", path)
        if answer.status != 200:
            self.refused(path, answer)
        elif path == "/v1/state" and answer.json()["holds"] is not True:
            self.tally.error("the log does not hold", answer.body[:300])
        elif path == "/log/checkpoint":
            self.checkpoint(answer.body)

    def checkpoint(self, body):
        size = int(body.split(b"\n")[1])
        if size < self.size:
            self.tally.error("a checkpoint went back", f"{size} after {self.size}")
        self.size = size
        if time.monotonic() - self.kept_s > self.each_s:
            self.kept_s, self.kept = time.monotonic(), self.kept + 1
            with open(os.path.join(self.house.folder, "checkpoints", f"{self.kept:06}"), "wb") as file:
                file.write(body)

    def look(self):
        answer = self.line.send("look", "POST", "/v1/looks", {
            "entries": str(max(self.size - 100, 0)), "reason": "A look that belongs to the soak test, of one entry"})
        if answer.status != 201:
            self.refused("a look", answer)


class Monitoring(Caller):
    """A monitoring system that scrapes the figures, by HTTP on the operator's socket."""

    def act(self):
        began, text = time.monotonic(), b""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(60)
                line.connect(self.house.socket)
                line.sendall(b"GET /metrics HTTP/1.1\r\nHost: vault\r\nConnection: close\r\n\r\n")
                while part := line.recv(65536):
                    text += part
        except OSError:
            pass
        if b"vault_sealed" in text:
            self.tally.answered("metrics")
        elif self.house.outages.asked_for(began):
            self.tally.missing()
        else:
            self.tally.error("no figures", text[:100])
