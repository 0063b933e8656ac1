"""Kept-alive connections to vaultd, as each caller has its own; and a browser on one."""
import html
import http.client
import json
import re
import ssl
import subprocess
import time
import urllib.parse

IDLE_S = 3  # a connection that has rested longer is made anew: the vault closes those that rest


class Unanswered(Exception):
    """There was no answer; it was counted, as asked for or as an error."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def place(self):
        return urllib.parse.urlsplit(self.headers.get("Location") or "").path

    def field(self, name):
        """The value of a form's first input of that name."""
        found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.body.decode())
        return html.unescape(found[1]) if found else ""


class Line:
    """One connection to one listener; identity gives the files of certificate and key, or None."""

    def __init__(self, house, listener, identity=None):
        self.house, self.listener, self.identity = house, listener, identity
        self.answers, self._connection, self._used, self._is_of = 0, None, 0.0, None

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def _connect(self):
        files = self.identity() if self.identity else None
        is_of = (self.house.outages.generation, files)
        if self._is_of != is_of or time.monotonic() - self._used > IDLE_S:
            self.close()
        if not self._connection:
            context = ssl.create_default_context(cafile=self.house.ca)
            if files:
                context.load_cert_chain(*files)
            self._connection = http.client.HTTPSConnection(
                "localhost" if self.listener == "citizens" else "127.0.0.1", self.house.ports[self.listener],
                context=context, timeout=60)
            self._is_of = is_of

    def call(self, kind, method, path, body=None, headers=None):
        """Its answer; else Unanswered. A 503 while the vault is to be away is none."""
        began, answer, reason = time.monotonic(), None, ""
        try:
            self._connect()
            self._connection.request(method, path, body, headers or {})
            got = self._connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
            self._used = time.monotonic()
        except (OSError, http.client.HTTPException) as failure:
            reason = repr(failure)
            self.close()
        if answer and not (answer.status == 503 and self.house.outages.asked_for(began)):
            self.house.tally.answered(kind)
            self.answers += 1
            return answer
        if self.house.outages.asked_for(began):
            self.house.tally.missing()
            time.sleep(0.1)
        else:
            self.house.tally.error(f"no answer to {kind}", reason)
        raise Unanswered

    def send(self, kind, method, path, value, **headers):
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.call(kind, method, path, json.dumps(value), {"Content-Type": "application/json"} | headers)


class Browser:
    """A citizen's, which signs in by a form, as people do."""

    def __init__(self, house, citizen):
        self.house, self.citizen = house, citizen
        self.line = Line(house, "citizens")
        self.cookies, self.signed_in_s, self.jumps = {}, 0.0, -1

    def _call(self, kind, method, path, form=None):
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "fr",
                   "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.line.call(kind, method, path, None if form is None else urllib.parse.urlencode(form), headers)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def page(self, path):
        return self._call("page", "GET", path)

    def form(self, path, **fields):
        return self._call("form", "POST", path, fields)

    def sign_in(self):
        """True if it is signed in now; None if that cannot be known, since the clock jumped meanwhile."""
        jumps = self.house.clock.wait()
        self.cookies.clear()
        self.signed_in_s = 0.0  # until it is sure on which side of a jump the new session began
        token = self.page("/sign-in").field("form_token")
        answer = self.form("/sign-in", form_token=token, login=f"testine-{self.citizen.number}",
                           password=self.citizen.password)
        if jumps != self.house.clock.begun:
            return None
        if answer.status != 303 and (self.citizen.password == self.citizen.own_password or not self.activate()):
            return False if self.citizen.password == self.citizen.own_password else None
        self.choose_password()
        if jumps != self.house.clock.begun:  # a letter or another password began a session anew
            return None
        self.signed_in_s, self.jumps = time.monotonic(), jumps
        return True

    def activate(self):
        """An import's password is over after 30 days, which jumps make short: then the city's letter is the way in."""
        citizen = self.citizen
        made = subprocess.run([self.house.bin + "/vaultctl", "--config", self.house.config, "citizen", "activation-code"],
                              input=citizen.reference, capture_output=True, text=True, timeout=600, check=False)
        if made.returncode:
            return False
        answer = self.form("/activate", form_token=self.page("/activate").field("form_token"),
                           activation=made.stdout.split("\t")[2], new_password=citizen.own_password)
        if answer.status != 303:
            return False
        citizen.password = citizen.own_password
        return True

    def choose_password(self):
        """One of their own, since the import's lives for 30 days and the clock jumps further than that."""
        citizen = self.citizen
        if citizen.password != citizen.own_password:
            answer = self.form("/security/password", form_token=self.token("/security"), password=citizen.password,
                               new_password=citizen.own_password)
            if answer.status == 303 and answer.headers["Location"] == "/security":
                citizen.password = citizen.own_password

    def token(self, path="/"):
        """The token of the session's forms, or "" if there is no session."""
        return self.page(path).field("form_token")
