"""The operator: everything that is done to a vault in its life, one thing after the other."""
import json
import os
import shutil
import signal
import subprocess
import time

from lines import Line, Unanswered
from model import Citizen

JUMPS = 24
JUMP_DAYS = 5
READY_S = 60


class Failed(Exception):
    pass


class Operator:
    def __init__(self, house, minutes):
        self.house, self.tally = house, house.tally
        self.seconds = minutes * 60
        self.done, self.restarts = {}, 0
        self.version, self.backups, self.keys = 1, 0, 0
        self.former_log_keys = []

    # --- The programs ---

    def ctl(self, *arguments, text=None):
        done = subprocess.run([self.house.bin + "/vaultctl", "--config", self.house.config, *arguments], input=text,
                              capture_output=True, text=True, timeout=600, check=False)
        self.tally.answered("operator")
        if done.returncode:
            raise Failed(f"vaultctl {' '.join(arguments[:2])}: {done.returncode}: {done.stderr.strip()[-200:]}")
        return done.stdout

    def start(self):
        """Start vaultd, and learn its ports."""
        with open(self.house.log, "ab") as log:
            at = log.tell()
            self.house.vaultd = subprocess.Popen([self.house.moved, "--config", self.house.config], stderr=log)
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.house.vaultd.poll() is None:
            with open(self.house.log, "rb") as log:
                log.seek(at)
                said = [json.loads(line) for line in log.read().splitlines() if line.startswith(b"{") and line.endswith(b"}")]
            if any(line.get("event") == "ready" for line in said):
                for line in said:
                    words = line.get("text", "").split()
                    if line.get("event") == "listen" and words[3:4] == ["port"]:
                        self.house.ports[words[0]] = int(words[4])
                return
            time.sleep(0.02)
        raise Failed(f"vaultd did not become ready: {said[-1:]}")

    def _ended(self, wanted):
        code = self.house.vaultd.wait(READY_S)
        if code != wanted:
            self.tally.error(f"vaultd ended with {code}, not {wanted}")

    def stop(self):
        self.house.vaultd.send_signal(signal.SIGTERM)
        self._ended(0)

    def restart(self):
        with self.house.outages:
            self.stop()
            self.start()
        self.restarts += 1

    def kill(self):
        with self.house.outages:
            self.house.vaultd.kill()
            self._ended(-signal.SIGKILL)
            self.start()
        self.restarts += 1

    def kill_keyholder(self):
        with self.house.outages:
            os.kill(self.house.keyholder(), signal.SIGKILL)
            self._ended(os.EX_IOERR)
            self.start()
        self.restarts += 1

    def new_log_key(self):
        """What signs from the next start on."""
        key = self.log_key()
        self.ctl("log", "new-key")
        self.former_log_keys.append(key)
        self.restart()

    def log_key(self):
        return json.loads(self.ctl("--json", "status"))["log"]["key"]

    # --- Certificates ---

    def reload(self):
        self.ctl("reload")

    def hang_up(self):
        self.house.vaultd.send_signal(signal.SIGHUP)

    def certify(self, service):
        """Another certificate for another key, asked for by the service; the former one is revoked."""
        self.keys += 1
        name, former = f"{service.id}.{self.keys}", service.files
        key, request, certificate = (os.path.join(self.house.folder, f"{name}.{end}") for end in ("key", "csr", "pem"))
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=soak", "-keyout", key, "-out", request], check=True, capture_output=True)
        with open(request, encoding="ascii") as file:
            answer = Line(self.house, "services", lambda: former).send("renewal", "POST", "/v1/me/certificate", {"csr": file.read()})
        if answer.status != 201:
            raise Failed(f"a renewal was answered {answer.status}: {answer.body[:200]}")
        with open(certificate, "w", encoding="ascii") as file:
            file.write(answer.json()["certificate"])
        service.files = (certificate, key)
        time.sleep(3)  # what is asked with the former one is answered
        self.ctl("service", "cert-revoke", service.id, "--cert", former[0])
        answer = Line(self.house, "services", lambda: former).call("me", "GET", "/v1/me")
        if answer.status not in (401, 403):
            self.tally.is_stale("a revoked key was answered", f"{service.id}: {answer.status}")

    def certify_next(self):
        self.certify(self.house.services[self.keys % 2])

    def suspend_service(self):
        service = self.house.services[2]
        service.active.begin(False)
        self.ctl("service", "suspend", service.id)
        service.active.settle(False)
        time.sleep(min(3, self.seconds / 100))
        service.active.begin(True)
        self.ctl("service", "resume", service.id)
        service.active.settle(True)

    # --- Keys, policy ---

    def rotate(self):
        self.ctl("key", "rotate")
        self.ctl("key", "rewrap")

    def rekey(self):
        """Of citizens that are read meanwhile."""
        there = [citizen for citizen in self.house.people if citizen.gone.now() == {False}]
        for citizen in self.house.random.sample(there, 3):
            with citizen.busy:
                citizen.keys += 1
                self.ctl("citizen", "rekey", text=citizen.reference + "\n")
                citizen.keys += 1

    def seal(self):
        with self.house.outages:
            self.ctl("seal")
            time.sleep(0.3)
            self.ctl("unseal")

    def activate(self):
        self.version += 1
        bundle = os.path.join(self.house.folder, "bundle")
        for name in ("manifest.json", "manifest.sig"):
            os.remove(os.path.join(bundle, name))
        self.ctl("policy", "sign", bundle, "--key", os.path.join(self.house.folder, "dpo.key"), "--name", "tests",
                 "--version", str(self.version))
        self.ctl("policy", "activate", bundle)

    # --- People ---

    def bring(self, count, has_login=False):
        """Import so many, and learn what the services call them."""
        first = self.house.numbers
        self.house.numbers += count
        new = [Citizen(number, has_login) for number in range(first, first + count)]
        path = os.path.join(self.house.folder, "people.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for citizen in new:
                print(json.dumps(citizen.row()), file=file)
        self.ctl("citizen", "import", path)
        for service in self.house.services:
            said = self.ctl("service", "subjects", service.id, text="".join(citizen.reference + "\n" for citizen in new))
            subjects = dict(line.split(" ") for line in said.splitlines())
            for citizen in new:
                citizen.subjects[service.id] = subjects[citizen.reference]
        self.house.people += new
        self.house.all_people += new

    def import_people(self):
        self.bring(4)
        self.bring(1, has_login=True)

    def erase(self):
        """Some who are there; they go on being asked about for a while."""
        there = [citizen for citizen in self.house.people if citizen.gone.now() == {False}]
        gone = [citizen for citizen in self.house.people if True in citizen.gone.now()]
        with_login = [citizen for citizen in there if citizen.has_login]
        for citizen in self.house.random.sample(there, 3) + self.house.random.sample(with_login, 1):
            with citizen.busy:
                if citizen.gone.now() == {True}:
                    continue
                citizen.gone.begin(True)
                self.ctl("citizen", "erase", "-", "--yes", text=citizen.reference + "\n")
                citizen.gone.settle(True)
        forgotten = set(gone[:-20])
        self.house.people = [citizen for citizen in self.house.people if citizen not in forgotten]

    # --- The rest ---

    def back_up(self):
        self.backups += 1
        folder = os.path.join(self.house.folder, f"backup-{self.backups}")
        self.ctl("backup", folder)
        done = subprocess.run([self.house.bin + "/vaultctl", "verify-backup", folder, "--key-file",
                               self.house.vault + "-key/root.key"], capture_output=True, text=True, check=False)
        if done.returncode:
            self.tally.error("a backup is not whole", done.stderr[-200:])
        shutil.rmtree(folder)

    def jump(self):
        self.house.clock.jump(JUMP_DAYS * 86400)

    # --- When ---

    def plan(self):
        """Pairs (second, what), in order. Restarts are in the first and the last fifth alone: between
        them one process lives, whose memory is measured."""
        everyday = [self.reload, self.certify_next, self.rotate, self.rekey, self.import_people, self.seal, self.hang_up,
                    self.erase, self.activate, self.suspend_service, self.back_up]
        restarts = [self.restart, self.kill, self.kill_keyholder, self.new_log_key]
        period_s = max(self.seconds / 24, min(self.seconds / 3, 75))
        plan = [(period_s * (turn + (i + 1) / (len(everyday) + 1)), what)
                for turn in range(int(self.seconds / period_s)) for i, what in enumerate(everyday)]
        each = max(1, min(5, round(self.seconds / 5 / 4 / 40)))
        for begins in (0.02, 0.82):
            steps = restarts * each
            plan += [((begins + 0.16 * i / len(steps)) * self.seconds, what) for i, what in enumerate(steps)]
        plan += [((0.03 + 0.94 * i / JUMPS) * self.seconds, self.jump) for i in range(JUMPS)]
        return sorted(plan, key=lambda step: step[0])

    def run(self, began):
        """Until the time is over. What is late is done at once; what is not done in time is left out."""
        for second, what in self.plan():
            wait_s = began + second - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            if time.monotonic() - began > self.seconds:
                break
            self.tally.doing = what.__name__
            try:
                what()
                self.done[what.__name__] = self.done.get(what.__name__, 0) + 1
            except Failed as failure:
                self.tally.error(f"the operator's {what.__name__}", str(failure))
            except Unanswered:
                pass
            self.tally.doing += f", done {time.strftime('%H:%M:%S')}"
            if self.house.vaultd.poll() is not None:
                raise Failed(f"vaultd is gone, with {self.house.vaultd.returncode}")
        time.sleep(max(0.0, began + self.seconds - time.monotonic()))
