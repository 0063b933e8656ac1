"""Those who watch: an auditor, and a monitoring system."""
import os
import socket
import time

from callers import Caller
from lines import Line


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
        began, answer = time.monotonic(), self.line.call("audit", "GET", path)
        if answer.status != 200:
            self.refused(path, answer)
        elif path == "/v1/state" and answer.json()["holds"] is not True and not self.house.outages.asked_for(began):
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
