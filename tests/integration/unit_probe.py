"""Tries what the unit should refuse, and what vaultd and its own sandbox need: a line for each.

    unit_probe.py            what comes of each
    unit_probe.py WHAT       of that one alone
    unit_probe.py --wanted   what should come of each under the unit
"""
import ctypes
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
resolver = ctypes.CDLL("libseccomp.so.2")


def call(name, *words):
    if libc.syscall(resolver.seccomp_syscall_resolve_name(name.encode()), *words) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def executable_memory():
    if libc.mmap(None, 4096, 7, 0x22, -1, 0) == ctypes.c_void_p(-1).value:
        raise OSError


def set_uid_file():
    write("/tmp/set-uid")
    os.chmod("/tmp/set-uid", 0o4700)


def child():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise OSError


REFUSED = {
    "write the configuration": lambda: write("/etc/citizen-vault/vaultd.json"),
    "write a program": lambda: write("/usr/sbin/other"),
    "write elsewhere": lambda: write("/var/lib/other"),
    "list homes": lambda: os.listdir("/root"),
    "see the first process": lambda: os.stat("/proc/1"),
    "read the kernel's settings": lambda: os.stat("/proc/sys/kernel/hostname"),
    "see which disks there are": lambda: os.stat("/proc/partitions"),
    "make a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "make a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "make executable memory": executable_memory,
    "make a name space": lambda: call("unshare", 0x10000000),
    "mount": lambda: call("mount", b"probe", b"/tmp", b"tmpfs", 0, None),
    "be somebody else": lambda: os.setuid(0 if os.getuid() else 1),
    "make a set-uid file": set_uid_file,
    "change its root": lambda: os.chroot("/tmp"),
    "be nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, 5),
    "run as another system": lambda: call("personality", 0x0008),
    "keep a key in the kernel": lambda: call("add_key", b"user", b"vault", b"x", 1, -2),
    "read another's memory": lambda: call("process_vm_readv", os.getpid(), None, 0, None, 0, 0),
    "trace": lambda: call("ptrace", 0, 0, 0, 0),
    "set the clock": lambda: call("clock_settime", 0, None),
}
LET = {
    "write its data": lambda: write("/var/lib/citizen-vault/probe"),
    "write its run folder": lambda: write("/run/citizen-vault/probe"),
    "write a temporary file": lambda: write("/tmp/probe-own"),
    "read its configuration": lambda: open("/etc/citizen-vault/vaultd.json").close(),
    "make a process": child,
    "make a pair of sockets": socket.socketpair,
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "know a host by its name": lambda: socket.getaddrinfo("localhost", 80),
    "lock memory": lambda: call("mlock", ctypes.create_string_buffer(4096), 4096),
    "ask for Landlock's version": lambda: call("landlock_create_ruleset", None, 0, 1),
    "ask what seccomp can": lambda: call("seccomp", 2, 0, ctypes.byref(ctypes.c_uint32(0))),
    "have children end with it": lambda: call("prctl", 1, 9, 0, 0, 0),
    "know its limits": lambda: call("prlimit64", 0, 7, None, ctypes.create_string_buffer(16)),
}


def outcome(act):
    try:
        act()
        return "let"
    except OSError:
        return "refused"


only = sys.argv[1] if len(sys.argv) > 1 else None
for wanted, tries in (("refused", REFUSED), ("let", LET)):
    for what, act in tries.items():
        if only == "--wanted":
            print(wanted, what)
        elif only in (None, what):
            print(outcome(act), what)
