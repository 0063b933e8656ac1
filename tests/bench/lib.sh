# What the parts of the bench share, beside what the integration tests do: figures, vaults that are made
# once and kept, and the load client.
#
#     . "$(dirname "$0")/lib.sh"        a part is given the build's folder first
#     world_make small 1000 && world_enter small && vault_start
#     measure "$work/answers" 8 5 "$work/one-field"
#
# A world is a vault with its services, keys and citizens, in build/bench/worlds. It is kept between
# runs as long as the programs that made it are the same, and used where it stands: its log grows.
# With BENCH_QUICK=1 worlds are small and measurements short.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$bin/../tests/bench" && pwd)
kept=$(cd "$bin/../.." && pwd)/bench
quick=${BENCH_QUICK:-}
asker=plie-rennes # who asks
hot=500 # the citizens that are asked for: well under the files that are kept open
export PYTHONDONTWRITEBYTECODE=1 BENCH_PART=${BENCH_PART:-$(basename "$0")}

# either IN-A-WHOLE-RUN IN-A-QUICK-ONE
either() { if [ -n "$quick" ]; then echo "$2"; else echo "$1"; fi; }

# figure NAME VALUE UNIT [must|aim '>='|'<=' BOUND]..., median FILE MEMBER, note NAME TEXT: see figures.py.
figure() { python3 "$bench/figures.py" figure "$@"; }
median() { python3 "$bench/figures.py" median "$@"; }
note() { python3 "$bench/figures.py" note "$@"; }

# ratio A B
ratio() { python3 -c 'import sys; print(float(sys.argv[1]) / float(sys.argv[2]))' "$1" "$2"; }

# skip WHY: this part cannot be had on this machine, which is no fault.
skip() {
    note skipped "$*"
    exit 0
}

now() { date +%s.%N; }

# since TIME: seconds, with their fraction.
since() { python3 -c 'import sys, time; print(time.time() - float(sys.argv[1]))' "$1"; }

# --- Worlds ---

# rows COUNT: rows of an import, with four values each.
rows() {
    python3 - "$1" <<'END'
import sys
for i in range(int(sys.argv[1])):
    print('{"reference":"B-%d","values":{"identity.name":{"value":"Testine Inventée %d"},'
          '"identity.birth_date":{"value":"19%02d-05-17","as_of":"2026-01-02","source":"civil register"},'
          '"address.postal":{"value":{"street":"rue des Essais","postcode":"35000","city":"Rennes"}},'
          '"employment.status":{"value":"seeking"}}}' % (i, i, i % 100))
END
}

# with_quota SERVICE REQUESTS-A-MINUTE
with_quota() {
    python3 - "$work/$1.json" "$2" <<'END'
import json, sys
registration = json.load(open(sys.argv[1]))
registration["quota"] = int(sys.argv[2])
json.dump(registration, open(sys.argv[1], "w"))
END
    ctl service update "$work/$1.json" >/dev/null
}

# without_limits: what is measured is the vault, not the keyholder's limit. Before vault_start.
without_limits() {
    mv "$work/vault-key/root.key" "$work/root.key" # a world is a folder with all that belongs to it
    sed -i -e 's|"keyring": {|"keyring": {"unwraps_per_minute": 6000000, |' -e 's|"key_file": "[^"]*"|"key_file": "../root.key"|' \
        "$work/vault/vaultd.json"
}

# consents FIRST LAST HOW-MANY: lines for "world consents": so many for each of these citizens, the one that
# is asked for last.
consents() {
    local i j
    for i in $(seq "$1" "$2"); do
        for j in $(seq $(($3 - 1))); do
            echo "B-$i service-$j employment.support"
        done
        echo "B-$i plie-rennes employment.support"
    done
}

# subjects FIRST LAST: what $asker calls these citizens.
subjects() {
    seq -f 'B-%.0f' "$1" "$2" | ctl service subjects "$asker" | cut -d' ' -f2
}

# more_rules COUNT: so many more in $work/bundle: 50 for each field and class, of which there are 4 and 2, and of as
# many other purposes as it takes. (64 may be.)
more_rules() {
    python3 - "$work/bundle" "$1" <<'END'
import json, sys
folder, rules = sys.argv[1], int(sys.argv[2])
title = {"fr": "Essai", "en": "Trial"}
path = f"{folder}/catalogue.json"
catalogue = json.load(open(path))
catalogue["purposes"] += [{"id": f"bench.n{i}", "title": title, "text": title} for i in range(-(-rules // 400))]
json.dump(catalogue, open(path, "w"))
fields = ["identity.birth_date", "address.postal", "employment.status", "identity.name"]
made = [{"id": f"bench-{i}", "effect": "permit", "why": title, "purposes": [f"bench.n{i // 400}"], "fields": [fields[i // 50 % 4]],
         "who": {"classes": [["employment.caseworker", "culture.library"][i // 200 % 2]]}, "basis": "consent",
         "when": {"assurance_at_least": ["low", "substantial", "high"][i % 3]}, "release": {"default": "as_is"},
         "must": {"retain_at_most_days": 30 + i % 10}} for i in range(rules)]
for start in range(0, rules, 2000):
    json.dump({"format": "vault-rules/1", "policy": f"bench-{start}", "title": title, "owner": "dpo@ville.example",
               "rules": made[start:start + 2000]}, open(f"{folder}/rules/bench-{start}.json", "w"))
END
    rm "$work/bundle"/manifest.*
    "$bin/vaultctl" policy sign "$work/bundle" --key "$work/dpo.key" --name tests --version 1
}

# world_make NAME CITIZENS [MANY [RULES]]: a vault with so many citizens, unless it is kept. Of them the first
# $hot have a consent that plie-rennes uses; with MANY the next 50 have ten consents, and the next 50 a hundred.
# The policy has so many RULES more.
world_make() {
    local made
    made=$({ cat "$bin/vaultd" "$bin/vaultctl" "$tools/world"; declare -f world_make rows consents more_rules; } | sha256sum | cut -c1-64)
    [ "$(cat "$kept/worlds/$1/made" 2>/dev/null)" != "$made" ] || return 0
    rm -rf "$kept/worlds/$1" "$work/bundle" "$work/dpo.key" "$work/vault" "$work/vault-key"
    mkdir -p "$kept/worlds/$1"
    vault_make
    [ -z "${4:-}" ] || more_rules "$4"
    without_limits
    mv "$work/vault" "$work/root.key" "$kept/worlds/$1/"
    ln -s "$kept/worlds/$1/vault" "$work/vault"
    vault_start
    vault_fill
    with_quota plie-rennes 100000000
    with_quota bibliotheque 100000000
    rows "$2" >"$work/rows.jsonl"
    ctl citizen import "$work/rows.jsonl" >/dev/null
    subjects 0 $((hot - 1)) >"$kept/worlds/$1/hot"
    consents 0 $((hot - 1)) 1 >"$work/consents"
    if [ -n "${3:-}" ]; then
        subjects $hot $((hot + 49)) >"$kept/worlds/$1/ten"
        subjects $((hot + 50)) $((hot + 99)) >"$kept/worlds/$1/hundred"
        consents $hot $((hot + 49)) 10 >>"$work/consents"
        consents $((hot + 50)) $((hot + 99)) 100 >>"$work/consents"
    fi
    vault_stop
    "$tools/world" consents "$work/vault/vaultd.json" identity.birth_date address.postal employment.status <"$work/consents"
    rm "$work/vault" "$work/rows.jsonl" "$work/consents"
    cp -r "$work"/*.pem "$work"/*.key "$work"/*.json "$work/bundle" "$kept/worlds/$1/"
    echo "$made" >"$kept/worlds/$1/made"
}

# world_enter NAME: that world is now the vault of vault_start and all that follows; one at a time.
world_enter() {
    world=$kept/worlds/$1
    rm -rf "$work/vault" "$work/bundle"
    ln -s "$world/vault" "$work/vault"
    cp -r "$world"/*.pem "$world"/*.key "$world"/*.json "$world/bundle" "$work/"
}

# start_timed: vault_start, with the milliseconds until it served in $took.
start_timed() {
    local began
    began=$(now)
    : >"$work/vaultd.log"
    "$bin/vaultd" --config "$work/vault/vaultd.json" 2>"$work/vaultd.log" &
    vaultd_pid=$!
    until grep -q '"event":"ready"' "$work/vaultd.log"; do
        kill -0 "$vaultd_pid" 2>/dev/null || die "vaultd ended: $(tail -n 1 "$work/vaultd.log")"
        sleep 0.002
    done
    took=$(python3 -c "print($(since "$began") * 1000)")
    services=https://127.0.0.1:$(port_of services)
}

# --- Load ---

# requests SUBJECTS FIELDS: a file of releases for the load client, FIELDS as JSON.
requests() {
    sed "s|.*|POST /v1/releases {\"subject\":\"&\",\"purpose\":\"employment.support\",\"fields\":$2,\"context\":{\"assurance_at_least\":\"substantial\"}}|" "$1"
}
# Of one field, and of three.
one_field='["employment.status"]'
three_fields='["identity.birth_date","address.postal","employment.status"]'

# checked REQUESTS: that the first of them is answered with all its fields, since 200 alone says little.
checked() {
    local body
    body=$(head -n 1 "$1" | cut -d' ' -f3-)
    equal 'fields that are withheld' '[]' \
        "$(as "$asker" -H 'Content-Type: application/json' "$services/v1/releases" -d "$body" | json - 'd["withheld"]')"
}

keyholder() { cut -d' ' -f1 "/proc/$vaultd_pid/task/$vaultd_pid/children"; }

# measure OUT CONNECTIONS SECONDS REQUESTS [OPTION...]: load on the running vaultd; its line of JSON goes to
# the end of OUT. An answer other than 200 ends the bench.
measure() {
    local out=$1 connections=$2 seconds=$3 asked=$4
    shift 4
    "$tools/load" --ca "$work/vault/certs/server-ca.pem" --cert "$work/$asker.pem" --key "$work/$asker.key" \
        --pid "$vaultd_pid" --pid "$(keyholder)" "$@" "${services##*:}" "$connections" "$seconds" "$asked" >"$work/answered"
    equal 'answers other than 200' '["200"]' "$(json "$work/answered" 'sorted(d["status"])')"
    cat "$work/answered" >>"$out"
}

# bare ARRANGEMENT: start such a server; its port and pid are in bare_port and bare_pid. It ends with the bench.
bare() {
    mkfifo "$work/$1.life"
    "$tools/bare_server" "$1" "$work/vault/certs/server.pem" "$work/vault/certs/server.key" "$work/vault/certs/services-ca.pem" \
        "$work/answer" <"$work/$1.life" >"$work/$1.port" &
    bare_pid[$1]=$!
    exec {life}>"$work/$1.life"
    until grep -q '^port' "$work/$1.port"; do
        kill -0 "${bare_pid[$1]}" || die "bare_server ended"
        sleep 0.01
    done
    bare_port[$1]=$(cut -d' ' -f2 "$work/$1.port")
}
declare -A bare_port bare_pid

# measure_bare ARRANGEMENT OUT CONNECTIONS SECONDS REQUESTS [OPTION...]: as measure does.
measure_bare() {
    local of=$1 out=$2 connections=$3 seconds=$4 asked=$5
    shift 5
    "$tools/load" --ca "$work/vault/certs/server-ca.pem" --cert "$work/$asker.pem" --key "$work/$asker.key" \
        --pid "${bare_pid[$of]}" "$@" "${bare_port[$of]}" "$connections" "$seconds" "$asked" >>"$out"
}

# memory [VmRSS|VmHWM]: of vaultd and its keyholder, in MiB.
memory() {
    local pid
    for pid in "$vaultd_pid" "$(keyholder)"; do
        grep "^${1:-VmRSS}:" "/proc/$pid/status"
    done | awk '{ sum += $2 } END { printf "%.1f\n", sum / 1024 }'
}
