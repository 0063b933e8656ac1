# A root folder to install into and to start the service from, without a container: this machine's own
# files below, and above them what the test writes, which goes when it ends. Instead of lib.sh, which
# comes with it; needs root, who may mount.
#
#     root_make              $root is a whole system, in which the package's dependencies are there
#     in_root COMMAND...     in it, as root
#     as_service COMMAND...  in it, as the service's user
#     manager_start          hears what the service manager would: $work/heard
#     unit_start [DROP-IN]   vaultd, as the unit in $root starts it; its log is $work/vaultd.log

# The script begins again where it can mount and nobody else sees it.
if [ -z "${IN_OWN_MOUNTS:-}" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo 'FAILED: only root can mount a root folder to install into' >&2
        exit 77
    fi
    IN_OWN_MOUNTS=1 exec unshare --mount "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

root=
manager=

root_make() {
    local name
    mkdir "$work/fs"
    mount -t tmpfs -o mode=0755 scratch "$work/fs"
    trap 'root_drop; cleanup' EXIT
    mkdir "$work/fs/upper" "$work/fs/work" "$work/fs/root"
    root=$work/fs/root
    mount -t overlay -o "lowerdir=/,upperdir=$work/fs/upper,workdir=$work/fs/work" scratch "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mount -t tmpfs -o mode=0755 run "$root/run"
    mount -t tmpfs -o mode=0755 dev "$root/dev"
    for name in null zero full random urandom; do
        : >"$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    socket=$root/run/citizen-vault/admin.sock
}

# What was mounted is let go before anything is removed.
root_drop() {
    local code=$?
    [ -z "$manager" ] || kill "$manager" 2>/dev/null || true
    if [ -n "$vaultd_pid" ]; then
        kill -TERM "$vaultd_pid" 2>/dev/null || true
        wait "$vaultd_pid" 2>/dev/null || true
        vaultd_pid=
    fi
    umount --recursive --lazy "$work/fs" || { trap - EXIT; echo "$work/fs could not be let go" >&2; exit 1; }
    return "$code"
}

in_root() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}

# As the service's user, who makes the vault.
as_service() {
    in_root setpriv --reuid=citizen-vault --regid=citizen-vault --clear-groups "$@"
}

# manager_start: hear what a service manager would; each datagram is a line of $work/heard.
manager_start() {
    : >"$work/heard"
    python3 - "$root/run/manager" "$work/heard" <<'END' &
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
with open(sys.argv[2], "a", buffering=1) as file:
    print("listening", file=file)
    while True:
        print(manager.recv(4096).decode().replace("\n", " "), file=file)
END
    manager=$!
    heard '^listening'
}

# heard PATTERN [TIMES]: said by now so often, or within half a minute.
heard() {
    for _ in $(seq 600); do
        if [ "$(grep -c -- "$1" "$work/heard")" -ge "${2:-1}" ]; then
            checks=$((checks + 1))
            return 0
        fi
        sleep 0.05
    done
    die "the service manager did not hear $1 ${2:-1} times, but: $(tail -n 20 "$work/heard")"
}

# unit_start [DROP-IN...]: ready, as the manager hears it; begun by what $apart names.
unit_start() {
    local option=() file
    for file in "$@"; do option+=(--drop-in "$file"); done
    : >"$work/vaultd.log"
    : >"$work/heard"
    NOTIFY_SOCKET=/run/manager ${apart:-} "$here/../support/unit_run" --root "$root" --applied "$work/applied" "${option[@]}" \
        "$root/usr/lib/systemd/system/vaultd.service" 2>"$work/vaultd.log" &
    vaultd_pid=$!
    heard '^READY=1$'
    services=https://127.0.0.1:$(port_of services)
    citizens=https://localhost:$(port_of citizens)
    auditors=https://127.0.0.1:$(port_of auditors)
}

# Of lib.sh's, this speaks to the vault in $root, which reads a bundle where it can.
ctl() {
    if [ "$1 $2" = 'policy activate' ]; then
        cp -r "$3" "$root/etc/citizen-vault/policy"
        in_root vaultctl --config /etc/citizen-vault/vaultd.json policy activate /etc/citizen-vault/policy
    else
        "$bin/vaultctl" --socket "$socket" "$@"
    fi
}

# free_ports: the configuration's, so that tests can run beside each other.
free_ports() {
    sed -i 's/"port": 844[012]/"port": 0/' "$root/etc/citizen-vault/vaultd.json"
}
