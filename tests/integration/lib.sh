# What the integration tests share: a vault of their own with the tests' policy, two services with
# their own keys, some invented citizens, and a vaultd on free ports of 127.0.0.1.
#
# A test begins with
#
#     . "$(dirname "$0")/lib.sh"
#     vault_make && vault_start
#
# and uses check, ask, release, sign_in… Everything is in $work, which goes when the test ends;
# vaultd is stopped by its own pid.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "$1" && pwd)/bin
fixtures=$here/../fixtures
work=$(mktemp -d)
vaultd_pid=
checks=0

cleanup() {
    local code=$?
    if [ -n "$vaultd_pid" ]; then
        kill -TERM "$vaultd_pid" 2>/dev/null || true
        wait "$vaultd_pid" 2>/dev/null || true
    fi
    if [ "$code" != 0 ] && [ -f "$work/vaultd.log" ]; then
        echo "--- vaultd said:"
        tail -n 20 "$work/vaultd.log"
    fi
    rm -rf "$work"
    exit "$code"
}
trap cleanup EXIT

die() {
    echo "FAILED: $*" >&2
    exit 1
}

# check WHAT COMMAND...: the command succeeds.
check() {
    local what=$1
    shift
    "$@" || die "$what"
    checks=$((checks + 1))
}

# equal WHAT WANTED GOT
equal() {
    [ "$2" = "$3" ] || die "$1: expected '$2', got '$3'"
    checks=$((checks + 1))
}

# refuse WHAT COMMAND...: the command fails.
refuse() {
    local what=$1
    shift
    if "$@" >"$work/refused" 2>&1; then
        die "$what: was let through: $(head -c 400 "$work/refused")"
    fi
    checks=$((checks + 1))
}

finish() {
    echo "$checks checks passed"
}

ctl() {
    "$bin/vaultctl" --config "$work/vault/vaultd.json" "$@"
}

# json FILE-OR-"-" EXPRESSION: print a value of a JSON text, Python's way.
json() {
    python3 -c 'import json,sys
text = sys.stdin.read() if sys.argv[1] == "-" else open(sys.argv[1]).read()
value = eval(sys.argv[2], {"d": json.loads(text)})
print(value if isinstance(value, str) else json.dumps(value, sort_keys=True))' "$1" "$2"
}

# csr NAME: a key and a certificate request of one's own, as a service makes them.
csr() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
}

# person NUMBER BIRTH-DATE: one row of an import. The password is the login's.
person() {
    printf '{"reference":"T-%s","login":"testine-%s","password":"mot de passe %s","language":"fr","values":{' "$1" "$1" "$1"
    printf '"identity.name":{"value":"Testine Inventée %s"},' "$1"
    printf '"identity.birth_date":{"value":"%s","as_of":"2026-01-02T00:00:00Z","source":"civil register"},' "$2"
    printf '"address.postal":{"value":{"number":"%s","street":"rue des Essais","postcode":"35000","city":"Rennes"}},' "$1"
    printf '"employment.status":{"value":"seeking-%s"}}}\n' "$1"
}

vault_make() {
    "$bin/vaultctl" policy key test-dpo "$work/dpo.key" >"$work/dpo.vkey"
    "$bin/vaultctl" init --dir "$work/vault" --port 0 --origin test.vault.example/log \
        --policy-signer "$(cat "$work/dpo.vkey")" --allow-swap >"$work/init.txt"
    cp -r "$fixtures/bundle" "$work/bundle"
    "$bin/vaultctl" policy sign "$work/bundle" --key "$work/dpo.key" --name tests --version 1
}

# vault_start: start vaultd and learn its ports.
vault_start() {
    : >"$work/vaultd.log" # the last run's "ready" must not be taken for this one's
    "$bin/vaultd" --config "$work/vault/vaultd.json" 2>"$work/vaultd.log" &
    vaultd_pid=$!
    for _ in $(seq 200); do
        grep -q '"event":"ready"' "$work/vaultd.log" && break
        kill -0 "$vaultd_pid" 2>/dev/null || die "vaultd ended at its start: $(tail -n 3 "$work/vaultd.log")"
        sleep 0.05
    done
    services=https://127.0.0.1:$(port_of services)
    citizens=https://localhost:$(port_of citizens)
    auditors=https://127.0.0.1:$(port_of auditors)
}

port_of() {
    sed -n "s/.*\"text\":\"$1 on [^ ]* port \([0-9]*\)\".*/\1/p" "$work/vaultd.log" | tail -n 1
}

vault_stop() {
    kill -TERM "$vaultd_pid"
    local code=0
    wait "$vaultd_pid" || code=$?
    vaultd_pid=
    return "$code"
}

# vault_fill: policy, services, citizens.
vault_fill() {
    ctl policy activate "$work/bundle" >/dev/null
    printf '{"id":"plie-rennes","name":"PLIE de Rennes (essai)","contact":"dpo@plie.example","classes":["employment.caseworker"],"purposes":["employment.support"],"atoms":["assurance_at_least"]}' >"$work/plie-rennes.json"
    printf '{"id":"bibliotheque","name":"Bibliothèque (essai)","contact":"dpo@biblio.example","classes":["culture.library"],"purposes":["library.lending"]}' >"$work/bibliotheque.json"
    for service in plie-rennes bibliotheque; do
        csr "$service"
        ctl service add "$work/$service.json" --csr "$work/$service.csr" --out "$work/$service.pem" >/dev/null
    done
    csr auditor
    ctl auditor add auditor --csr "$work/auditor.csr" --out "$work/auditor.pem" >/dev/null
    { person 1 1990-05-17; person 2 1985-02-28; person 3 2015-07-01; } >"$work/people.jsonl"
    ctl citizen import "$work/people.jsonl" >/dev/null
    subject=$(subject_for plie-rennes T-1)
}

# subject_for SERVICE REFERENCE: what the service calls a citizen.
subject_for() {
    ctl service subjects "$1" <<<"$2" | cut -d' ' -f2
}

# as SERVICE CURL-OPTION...: curl with that service's certificate.
as() {
    local who=$1
    shift
    curl -sS --max-time 20 --cacert "$work/vault/certs/server-ca.pem" \
        --cert "$work/$who.pem" --key "$work/$who.key" "$@"
}

# release SERVICE SUBJECT [FIELDS] [PURPOSE]: print the answer.
release() {
    local fields=${3:-'{"identity.birth_date":null,"address.postal":null,"employment.status":null}'}
    as "$1" -H 'Content-Type: application/json' "$services/v1/releases" \
        -d "{\"subject\":\"$2\",\"purpose\":\"${4:-employment.support}\",\"fields\":$fields,\"context\":{\"assurance_at_least\":\"substantial\"}}"
}

# page CURL-OPTION...: a browser of the citizen's, with its cookies.
page() {
    curl -sS --max-time 20 --cacert "$work/vault/certs/server-ca.pem" -b "$work/cookies" \
        -c "$work/cookies" -H 'Sec-Fetch-Site: same-origin' "$@"
}

# field NAME: the value of a hidden or other input in the page on standard input.
field() {
    tr '\n' ' ' | grep -o "<input[^>]*name=\"$1\"[^>]*>" | sed -n 's/.*value="\([^"]*\)".*/\1/p' | head -n 1
}

# sign_in NUMBER
sign_in() {
    rm -f "$work/cookies"
    local token
    token=$(page "$citizens/sign-in" | field form_token)
    page -o /dev/null "$citizens/sign-in" --data-urlencode "form_token=$token" \
        --data-urlencode "login=testine-$1" --data-urlencode "password=mot de passe $1"
}

# consent NUMBER: have the service ask, and the citizen give, for the shortest time offered.
# Leaves the request's id in $request.
consent() {
    local code token location body
    body=$(as plie-rennes -H 'Content-Type: application/json' "$services/v1/access-requests" \
        -d '{"purpose":"employment.support","fields":{"identity.birth_date":"year","address.postal":null,"employment.status":null},"period_days":180}')
    request=$(printf '%s' "$body" | json - 'd["id"]')
    code=$(printf '%s' "$body" | json - 'd["code"]')
    sign_in "$1"
    token=$(page "$citizens/" | field form_token)
    location=$(page -o /dev/null -w '%{redirect_url}' "$citizens/request" \
        --data-urlencode "form_token=$token" --data-urlencode "code=$code")
    page "$location" >"$work/consent.html"
    token=$(field form_token <"$work/consent.html")
    page -o /dev/null "$location/give" --data-urlencode "form_token=$token" \
        --data-urlencode "shown=$(field shown <"$work/consent.html")" \
        --data-urlencode "period=$(field period <"$work/consent.html")"
}

# withdraw: the signed-in citizen withdraws from plie-rennes.
withdraw() {
    local token
    token=$(page "$citizens/withdraw?service=plie-rennes&purpose=employment.support" | field form_token)
    page -o /dev/null "$citizens/withdraw" --data-urlencode "form_token=$token" \
        -d service=plie-rennes -d purpose=employment.support
}

# moved_time: vaultd alone lives in a time that jump moves, and only its wall clock (moved_clock.c): what only
# goes forward on a real machine does so here. Before vault_make, and with a jump +0.
moved_time() {
    cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -fPIC -shared -o "$work/moved_clock.so" \
        "$(dirname "${BASH_SOURCE[0]}")/../support/moved_clock.c"
    cat >"$work/vaultd" <<END
#!/bin/sh
export MOVED_CLOCK=$work/clock LD_PRELOAD=\${LD_PRELOAD:+\$LD_PRELOAD:}$work/moved_clock.so ASAN_OPTIONS=verify_asan_link_order=0
exec $bin/vaultd "\$@"
END
    chmod +x "$work/vaultd"
    mkdir "$work/bin"
    ln -s "$bin"/* "$work/bin/"
    ln -sf "$work/vaultd" "$work/bin/vaultd"
    bin=$work/bin
}

# jump OFFSET: such as +90min, from the machine's own time. It is written in place, and read as a whole.
jump() {
    python3 - "$work/clock" "$1" <<'END'
import os, re, struct, sys
units = {"": 1, "min": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
number, unit = re.fullmatch(r"\+(\d+)(\w*)", sys.argv[2]).groups()
os.pwrite(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600), struct.pack("=q", int(number) * units[unit]), 0)
END
}

# log_key: the log's verifier key.
log_key() {
    ctl --json status | json - 'd["log"]["key"]'
}

# none_in_clear FOLDER TEXT...: no file has any of the texts, raw, as hexadecimal or as base64.
none_in_clear() {
    python3 - "$@" <<'END'
import base64, os, sys
forms = set()
for text in sys.argv[2:]:
    raw = text.encode()
    forms |= {raw, raw.hex().encode(), raw.hex().upper().encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        forms.add(encoded[4 if shift else 0:-4])
found = []
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        data = open(path, "rb").read()
        found += [(path, form) for form in forms if len(form) > 4 and form in data]
for path, form in found:
    print("in clear:", path, len(form))
sys.exit(bool(found))
END
}
