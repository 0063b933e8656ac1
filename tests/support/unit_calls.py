"""The filters on system calls that a unit's directives stand for, by libseccomp: one filter for each
directive, as systemd does it. Groups such as @system-service are those of this machine's systemd."""
import ctypes
import socket
import subprocess
import sys

seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
ALLOW, ERRNO, EPERM, EAFNOSUPPORT, ENOSYS = 0x7FFF0000, 0x00050000, 1, 97, 38
NE, EQ, GE, MASKED = 1, 4, 5, 7


def number_of(call):
    return seccomp.seccomp_syscall_resolve_name(call.encode())

class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    def __init__(self, default=ALLOW):
        self.handle = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action, call, *comparisons):
        number = number_of(call)
        if number < 0:
            return # not of this architecture
        array = (Comparison * len(comparisons))(*comparisons)
        answer = seccomp.seccomp_rule_add_array(self.handle, ctypes.c_uint32(action), number, len(comparisons), array)
        if answer:
            sys.exit(f"unit_run: no rule for {call}: error {-answer}")

    def load(self):
        if seccomp.seccomp_load(self.handle):
            sys.exit("unit_run: a filter was refused")


def members(group):
    """The calls of a group, groups within it followed."""
    found = set()
    text = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True, text=True).stdout
    for word in (line.strip() for line in text.splitlines()[1:]):
        if word and word[0] != "#":
            found |= members(word) if word[0] == "@" else {word}
    return found


def allowed_calls(unit):
    """@default is always allowed; a later list adds, or with ~ takes away."""
    found = members("@default")
    for value in unit.values.get("SystemCallFilter", []):
        words = value.lstrip("~").split()
        calls = set().union(*(members(word) if word[0] == "@" else {word} for word in words))
        found = found - calls if value[0] == "~" else found | calls
    return found


def refuse(error, *rules):
    shut = Filter()
    for call, *comparisons in rules:
        shut.rule(ERRNO | error, call, *comparisons)
    return shut


def filters(unit):
    """One filter for each directive, by its name; the widest last, since it may refuse the others' loading."""
    if unit.words("RestrictAddressFamilies"):
        known = {int(getattr(socket, word)) for word in unit.words("RestrictAddressFamilies")}
        yield "RestrictAddressFamilies", refuse(
            EAFNOSUPPORT, ("socket", Comparison(0, GE, 64)),
            *(("socket", Comparison(0, EQ, family)) for family in range(64) if family not in known))
    if unit.yes("RestrictNamespaces"):
        kinds = 0x7E020000
        shut = refuse(EPERM, ("unshare",), ("setns",),
                      *(("clone", Comparison(0, MASKED, 1 << bit, 1 << bit)) for bit in range(32) if kinds >> bit & 1))
        shut.rule(ERRNO | ENOSYS, "clone3")
        yield "RestrictNamespaces", shut
    if unit.yes("MemoryDenyWriteExecute"):
        yield "MemoryDenyWriteExecute", refuse(
            EPERM, ("mmap", Comparison(2, MASKED, 6, 6)), ("mprotect", Comparison(2, MASKED, 4, 4)),
            ("pkey_mprotect", Comparison(2, MASKED, 4, 4)), ("shmat", Comparison(2, MASKED, 0o100000, 0o100000)))
    if unit.yes("RestrictSUIDSGID"):
        yield "RestrictSUIDSGID", refuse(
            EPERM, *((call, Comparison(arg, MASKED, bit, bit)) for bit in (0o4000, 0o2000)
                     for call, arg in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2))))
    if unit.yes("RestrictRealtime"):
        yield "RestrictRealtime", refuse(
            EPERM, *(("sched_setscheduler", Comparison(1, EQ, policy)) for policy in (1, 2, 6)))
    if unit.yes("LockPersonality"):
        yield "LockPersonality", refuse(EPERM, ("personality", Comparison(0, NE, 0)))
    for name, calls in (("ProtectClock", members("@clock")), ("ProtectKernelModules", members("@module")),
                        ("ProtectKernelLogs", {"syslog"}), ("ProtectHostname", {"sethostname", "setdomainname"})):
        if unit.yes(name):
            yield name, refuse(EPERM, *((call,) for call in calls))
    if unit.words("SystemCallFilter"):
        shut = Filter(ERRNO | EPERM)
        for call in allowed_calls(unit):
            shut.rule(ALLOW, call)
        yield "SystemCallFilter", shut
