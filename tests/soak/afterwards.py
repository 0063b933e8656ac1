"""What is looked at when all is over: what was done, memory and descriptors, the feed, and the log."""
import base64
import hashlib
import os
import statistics
import struct
import threading
import time

from lines import Line

# What memory and descriptors may be above 1.10 times before: a process of some megabytes has pages that
# come and go, and a listener a few connections.
ROOM = {"rss_kib": 4096, "descriptors": 16, "threads": 2}

# From so long on a run has to have done all of it, and has to be flat; a shorter one says that it does not judge.
LONG_S = 600
WHOLE_S = 7200  # and from so long on, twice
QUARTER_LEAST = 2  # samples, of which a median is taken
# While the vault is away each caller tries again and again: some dozens of answers of all, each time.
MISSING_MOST = 300
KINDS = ("access request", "audit", "batch", "deposit", "evaluation", "feed", "form", "look", "me", "metrics", "operator",
         "page", "release", "renewal")


class Sampler(threading.Thread):
    """Memory, descriptors and threads of both processes, every so often."""

    def __init__(self, house, each_s):
        super().__init__(daemon=True)
        self.house, self.each_s, self.samples = house, each_s, []

    def run(self):
        began = time.monotonic()
        while not self.house.ended.wait(self.each_s):
            for which in ("vaultd", "keyholder"):
                try:
                    pid = self.house.vaultd.pid if which == "vaultd" else self.house.keyholder()
                    self.samples.append((time.monotonic() - began, which, pid, least(pid)))
                except (OSError, KeyError, TypeError):
                    pass  # it is being started again

    def newest(self, which):
        """In words."""
        values = next((values for _, name, _, values in reversed(self.samples) if name == which), None)
        return f"{values['rss_kib'] / 1024:.0f} MiB, {values['descriptors']} descriptors" if values else "not seen yet"

    def stretch(self, which):
        """The samples of the process that lived longest: that between the two fifths with restarts. A process
        is compared with itself, since one that has just begun has not yet opened what it may have open."""
        lives = {}
        for at, name, pid, values in self.samples:
            if name == which:
                lives.setdefault(pid, []).append((at, values))
        return max(lives.values(), key=len, default=[])


def least(pid):
    """Of some readings within a second: to check a password takes 64 MiB for an instant, and this is about
    what stays."""
    readings = []
    for _ in range(6):
        readings.append(sample(pid))
        time.sleep(0.15)
    return {what: min(values[what] for values in readings) for what in readings[0]}


def sample(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    return {"rss_kib": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


def check_done(house, operator, callers):
    """That it was borne: each step of the operator's was done, each caller answered, and that again and again."""
    tally, most = house.tally, MISSING_MOST * house.outages.count
    if tally.asked > most:
        tally.error("too many answers were missing", f"{tally.asked}, over {house.outages.count} times that the vault was away")
    if operator.seconds < LONG_S:
        print("too short to judge whether each step was done and each caller answered")
        return
    wanted = 2 if operator.seconds >= WHOLE_S else 1
    for name in sorted({what.__name__ for _, what in operator.plan()}):
        if operator.done.get(name, 0) < wanted:
            tally.error(f"the operator's {name} was done too seldom", f"{operator.done.get(name, 0)}, not {wanted}")
    for kind in KINDS:
        if not tally.kinds[kind]:
            tally.error(f"nobody was answered: {kind}")
    for caller in callers:  # those who watch by themselves, and citizens, are known by their kinds
        if hasattr(caller, "line") and not caller.line.answers:
            tally.error(f"a caller was never answered: {type(caller).__name__}", str(caller.number))


def flat(sampler, is_long):
    """Whether in that life the last quarter's median is at most 1.10 times the second quarter's, and some
    room; prints both. Where a long run cannot say, it was not."""
    is_flat = True
    if not is_long:
        print("too short to judge whether memory and descriptors are flat; they are:")
    for which in ("vaultd", "keyholder"):
        life = [values for _, values in sampler.stretch(which)]
        quarter = len(life) // 4
        if quarter < QUARTER_LEAST:
            print(f"{which}: seen {len(life)} times in its longest life, too seldom to say")
            is_flat = False
            continue
        for what, room in ROOM.items():
            second = statistics.median(values[what] for values in life[quarter:2 * quarter])
            last = statistics.median(values[what] for values in life[-quarter:])
            fits = last <= 1.10 * second + room
            is_flat = is_flat and fits
            print(f"{which:9} {what:11} second quarter {second:9.0f}, last quarter {last:9.0f}{'' if fits else '   NOT FLAT'}")
    return is_flat or not is_long


def check_feed(house):
    """What each service's feed tells from its beginning is what was decided, for whoever is there."""
    wanted_last = {"given": ("given", "resumed", "narrowed"), "suspended": ("suspended",), "none": ("withdrawn", None)}
    for service in house.services:
        line, after, last, gifts, erased = Line(house, "services", service.identity), 0, {}, {}, set()
        while True:
            answer = line.call("feed", "GET", f"/v1/consents?after={after}").json()
            if not answer["changes"]:
                break
            for change in answer["changes"]:
                subject = change["subject"]
                last[subject] = change["change"]
                gifts[subject] = gifts.get(subject, 0) + (change["change"] == "given")
                if change["change"] == "erased":
                    erased.add(subject)
            after = answer["next"]
        for citizen in house.all_people:
            subject, states = citizen.subjects[service.id], {known.state for known in citizen.consents[service.id].now()}
            if citizen.gone.now() == {True}:
                if last.get(subject) not in (None, "erased"):
                    house.tally.is_stale("the feed has one who is erased", f"{citizen.reference}: {last[subject]}")
                continue
            told, gave, lost = gifts.get(subject, 0), citizen.gifts[service.id], citizen.lost_gifts[service.id]
            if not gave <= told <= gave + lost:
                house.tally.error("gifts in the feed", f"{citizen.reference} to {service.id}: {told}, of {gave} and {lost} unanswered")
            # One that was used up, or whose time is over, has no change of its own.
            if len(states) == 1 and last.get(subject) not in wanted_last[next(iter(states))] + (("given",) if states == {"none"} else ()):
                house.tally.error("the feed ends otherwise", f"{citizen.reference} to {service.id}: {last.get(subject)}, {states}")


def entries_of(log):
    """Index and text of each published entry, from the bundles; of several widths of one, the widest."""
    bundles, widest = os.path.join(log, "tile", "entries"), {}
    for folder, _, names in os.walk(bundles):
        for name in names:
            path = os.path.join(folder, name)
            place, _, width = os.path.relpath(path, bundles).partition(".p")
            number = int(place.replace("x", "").replace(os.sep, ""))
            width = int(width.strip(os.sep) or 256)
            if width > widest.get(number, (0, ""))[0]:
                widest[number] = (width, path)
    for number, (_, path) in sorted(widest.items()):
        with open(path, "rb") as file:
            data, at, index = file.read(), 0, number * 256
        while at < len(data):
            (size,) = struct.unpack_from(">H", data, at)
            yield index, data[at + 2:at + 2 + size]
            at, index = at + 2 + size, index + 1


def count_lost(house, feeds):
    """Acknowledged releases and deposits, by their leaf, and changes of consents, that the log has not."""
    wanted, decided = {}, {}
    events = {"given": "consent", "narrowed": "consent", "withdrawn": "withdraw", "suspended": "suspend",
              "resumed": "resume", "erased": "erase"}
    lost = 0
    with open(os.path.join(house.folder, "acknowledged"), encoding="ascii") as file:
        for line in file:
            index, leaf = line.split()
            if wanted.setdefault(int(index), leaf) != leaf:
                lost += 1  # two answers in one place
    for feed in feeds:
        decided |= {n - 1: events[change] for n, change in feed.seen}  # n is the place behind the entry
    acknowledged = len(wanted) + len(decided)
    if not wanted or not decided:  # of nothing, nothing is lost
        house.tally.error("nothing was acknowledged", f"{len(wanted)} releases and deposits, {len(decided)} changes of consents")
    for index, text in entries_of(os.path.join(house.vault, "log")):
        if wanted.get(index) == base64.b64encode(hashlib.sha256(b"\0" + text).digest()).decode():
            del wanted[index]
        if index in decided and f"event {decided[index]}\n".encode() in text:
            del decided[index]
    return acknowledged, lost + len(wanted) + len(decided), list(wanted)[:5], list(decided.items())[:5]
