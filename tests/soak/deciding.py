"""Citizens at their pages, who ask nobody before they decide."""
import time

from callers import Caller, Reader, Reading, ask_of
from lines import Browser, Line, Unanswered
from model import Glance, NONE, given

DAYS = 20  # of each consent: four jumps of the clock


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
        active, page = service.active.mark(), browser.page(place)
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
        if not self.jumped(browser) and service.active.since(active) == {True}:
            self.refused("giving", answer)
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
                reader, ask = Reading(self.house, 0), ask_of(service, citizen.subjects[service.id])
                consent.begin(NONE)
                first = self.lines[service.id].send("release", "POST", "/v1/releases", ask)
                if first.status == 200:
                    answer = first.json()
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
            if consent.now() != {NONE}:
                consent.begin(NONE)  # an answer was lost: others may use it
            citizen.alone.discard(service.id)
