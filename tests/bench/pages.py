"""How long the citizens' pages take, seen over one kept connection, and how heavy they are.

    pages.py BASE CA LOGIN PASSWORD

The time is the whole answer's, with TLS and this program's own share. What a page weighs is what a
browser fetches for it that has nothing yet: the page, its style, its script if it has one, its icon.
"""
import html.parser
import http.client
import ssl
import statistics
import sys
import time
import urllib.parse

from figures import append

ROUNDS = 200
PAGES = ["/", "/accesses", "/mandates", "/data", "/security", "/services/plie-rennes", "/about"]

base, ca, login, password = sys.argv[1:]
url = urllib.parse.urlparse(base)
connection = http.client.HTTPSConnection(url.hostname, url.port, context=ssl.create_default_context(cafile=ca))
cookies = {}


class Reader(html.parser.HTMLParser):
    """The token of the first form, and what the page fetches."""

    def __init__(self):
        super().__init__()
        self.token, self.parts = None, []

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        if of.get("name") == "form_token" and not self.token:
            self.token = of["value"]
        if tag == "link":
            self.parts.append(of["href"])
        if tag == "script":
            self.parts.append(of["src"])


def fetch(path, form=None):
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "fr",
               "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("POST" if form else "GET", path, form and urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    for cookie in answer.msg.get_all("Set-Cookie") or []:
        name, value = cookie.split(";")[0].split("=", 1)
        cookies[name] = value
    return answer.status, answer.read()


def read(page):
    reader = Reader()
    reader.feed(page.decode())
    return reader


token = read(fetch("/sign-in")[1]).token
status, _ = fetch("/sign-in", {"form_token": token, "login": login, "password": password})
assert status == 303, f"signing in was answered {status}"
for path in PAGES:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        status, page = fetch(path)
        times.append((time.perf_counter() - began) * 1000)
        assert status == 200, f"{path} was answered {status}"
    weight = len(page) + sum(len(fetch(part)[1]) for part in read(page).parts)
    print(f"page {path:24} {statistics.median(times):6.2f} ms median, {sorted(times)[ROUNDS * 99 // 100]:6.2f} ms of 99 in 100, "
          f"{len(page) / 1024:5.1f} KiB, {weight / 1024:5.1f} KiB in all")
    append({"name": f"pages: {path}, median", "value": statistics.median(times), "unit": "ms"})
