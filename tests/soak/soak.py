"""Mixed load on a real vaultd for so many minutes, while an operator does everything that is ever done to
a vault, and every answer is held against what must be so. See run, which makes the vault.

    soak.py FOLDER BIN MINUTES PEOPLE SEED

FOLDER has what tests/integration/lib.sh made: vault/, bundle/, dpo.key, NAME.key and NAME.pem.
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time

from afterwards import LONG_S, Sampler, check_done, check_feed, count_lost, flat
from callers import WORK_FIELDS, BatchReader, Bringing, Feed, Reader
from deciding import Deciding
from model import Clock, Known, Outages, Tally
from operating import Operator
from watching import Auditing, Monitoring

LOGINS = 60
KNOWN_MOST = 8  # checkpoints that vault-audit is given, of those kept


class Service:
    def __init__(self, folder, name, purpose, asks):
        self.id, self.purpose, self.asks = name, purpose, asks
        self.files = tuple(os.path.join(folder, f"{name}.{end}") for end in ("pem", "key"))
        self.active = Known(True)

    def identity(self):
        return self.files


class House:
    """All that the callers share."""

    def __init__(self, folder, programs, seed):
        self.folder, self.bin, self.seed = folder, programs, seed
        self.vault = os.path.join(folder, "vault")
        self.config = os.path.join(self.vault, "vaultd.json")
        self.socket = os.path.join(self.vault, "admin.sock")
        self.ca = os.path.join(self.vault, "certs", "server-ca.pem")
        self.log, self.moved = os.path.join(folder, "vaultd.log"), os.path.join(folder, "vaultd")
        self.random, self.ended = random.Random(seed), threading.Event()
        self.clock, self.outages, self.tally = Clock(os.path.join(folder, "clock")), Outages(), Tally(folder)
        self.ports, self.vaultd, self.callers = {}, None, 0
        self.people, self.all_people, self.numbers = [], [], 1000
        self.services = [Service(folder, "plie-rennes", "employment.support", WORK_FIELDS),
                         Service(folder, "bibliotheque", "library.lending", {"reader.token": None}),
                         Service(folder, "mission-locale", "employment.support", WORK_FIELDS)]
        os.mkdir(os.path.join(folder, "checkpoints"))

    def auditor(self):
        return tuple(os.path.join(self.folder, f"auditor.{end}") for end in ("pem", "key"))

    def keyholder(self):
        """The child of vaultd, or None."""
        pid = self.vaultd.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return int(children[0]) if children else None


def callers_of(house, seconds):
    first, library, third = house.services
    feeds = [Feed(house, first), Feed(house, library)]
    return feeds, feeds + [
        Reader(house, first, 0.02), Reader(house, first, 0.02), Reader(house, library, 0.02), Reader(house, third, 0.05),
        BatchReader(house, first, 0.1), BatchReader(house, library, 0.1), Bringing(house, first, 0.1),
        Deciding(house, 0.1), Deciding(house, 0.1), Auditing(house, 0.2, seconds / 40), Monitoring(house, 1)]


def progress(house, began, seconds, operator, sampler):
    while not house.ended.wait(min(60, seconds / 5)):
        tally = house.tally
        passed = time.monotonic() - began
        print(f"{passed / 60:6.1f} min: {tally.answers} answers, {tally.answers / passed:.0f}/s, {operator.restarts} restarts, "
              f"{house.clock.settled} jumps, {tally.errors} errors, {tally.stale} stale; vaultd {sampler.newest('vaultd')}", flush=True)


def verify(house, operator, key):
    """vault-audit on the log at rest, with checkpoints that the auditor kept all along."""
    folder = os.path.join(house.folder, "checkpoints")
    kept = sorted(os.listdir(folder))
    kept = kept[::max(1, -(-len(kept) // KNOWN_MOST))]
    known = [word for name in kept for word in ("--known", os.path.join(folder, name))]
    former = [word for other in operator.former_log_keys for word in ("--former", other)]
    done = subprocess.run([house.bin + "/vault-audit", "verify", os.path.join(house.vault, "log"), "--key", key, *former, *known],
                          capture_output=True, text=True, check=False)
    print(f"vault-audit verify with {len(kept)} kept checkpoints and {len(operator.former_log_keys)} former keys: exit {done.returncode}")
    if done.returncode or not kept:
        house.tally.error("vault-audit verify", done.stdout + done.stderr)


def look_after(house, operator, feeds):
    """When the load is gone: the feed, the doctor, a clean stop, the log. How many entries are lost."""
    check_feed(house)
    key = operator.log_key()
    operator.ctl("doctor")
    operator.stop()
    verify(house, operator, key)
    acknowledged, lost, wanted, decided = count_lost(house, feeds)
    print(f"{acknowledged} acknowledged entries, {lost} of them not in the log {wanted or ''} {decided or ''}")
    return lost


def bear(house, operator, people, minutes):
    """The load, for the whole time; then what is left of it. True if all was as it must be."""
    operator.start()
    operator.bring(LOGINS, has_login=True)
    operator.bring(people - LOGINS)
    feeds, callers = callers_of(house, minutes * 60)
    sampler, began = Sampler(house, min(10, minutes * 60 / 100)), time.monotonic()
    threads = [threading.Thread(target=caller.run, daemon=True) for caller in callers]
    threads.append(threading.Thread(target=progress, args=(house, began, minutes * 60, operator, sampler), daemon=True))
    for thread in [sampler, *threads]:
        thread.start()
    try:
        operator.run(began)
    finally:
        house.ended.set()
    took_s = time.monotonic() - began
    for thread in threads:
        thread.join(60)
    tally, answers = house.tally, house.tally.answers
    check_done(house, operator, callers)
    lost = look_after(house, operator, feeds)
    print("answers: " + ", ".join(f"{kind} {count}" for kind, count in sorted(tally.kinds.items())))
    print(f"operator, {sum(operator.done.values())} of {len(operator.plan())} planned: "
          + ", ".join(f"{name} {count}" for name, count in sorted(operator.done.items())))
    print(f"missing while the operator had the vault away {house.outages.count} times: {tally.asked}")
    for what, count in tally.wrong.items():
        print(f"{count} times {what}")
    is_flat = flat(sampler, operator.seconds >= LONG_S)
    print(f"soak: minutes {minutes:g}, answers {answers}, rate {answers / took_s:.0f}/s, restarts {operator.restarts}, "
          f"errors {tally.errors}, stale {tally.stale}, entries lost {lost}", flush=True)
    return is_flat and not (tally.errors or tally.stale or lost)


def main():
    folder, programs, minutes, people, seed = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
    house = House(folder, programs, seed)
    try:
        sys.exit(not bear(house, Operator(house, float(minutes)), int(people), float(minutes)))
    finally:
        if house.vaultd and house.vaultd.poll() is None:
            house.vaultd.kill()
            house.vaultd.wait()


main()
