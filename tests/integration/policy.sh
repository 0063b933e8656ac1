#!/bin/sh
# "vaultctl policy" from outside: what it prints, and how it exits.
#   policy.sh TOOL SOURCE_DIR
set -eu
tool=$1
source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0

# expect EXIT COMMAND…: the command's output stays in $scratch/out and $scratch/err.
expect() {
    wanted=$1
    shift
    got=0
    "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
    if [ "$got" -ne "$wanted" ]; then
        echo "FAILED: $* exited $got, not $wanted" >&2
        cat "$scratch/out" "$scratch/err" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

# said TEXT: the last command said it.
said() {
    if ! grep -qF -- "$1" "$scratch/out" "$scratch/err"; then
        echo "FAILED: nothing said: $1" >&2
        cat "$scratch/out" "$scratch/err" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

# The bundle of Rennes has nothing to hide.
expect 0 "$tool" check "$source/policy"
said "0 errors, 0 warnings"
expect 0 "$tool" test "$source/policy"
said "0 failed"
expect 0 "$tool" check "$source/policy" --json
python3 - "$scratch/out" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["errors"] == 0 and report["warnings"] == 0 and report["findings"] == []
assert report["tests"]["failed"] == 0 and report["tests"]["passed"] > 20
assert set(report["worst_cell"]) >= {"rules", "atoms", "class", "purpose", "field"}
PY

# What the README teaches works as it stands there.
cp -r "$source/policy" "$scratch/taught"
python3 - "$source/policy/README.md" "$scratch/taught" <<'PY'
import json, re, sys
text = open(sys.argv[1]).read()
def block(start):
    at = text.index(start)
    lines = text[at - 4:].split("\n")
    taken = []
    for line in lines:
        if line and not line.startswith("    "):
            break
        taken.append(line[4:])
    return "\n".join(taken)
catalogue = json.load(open(sys.argv[2] + "/catalogue.json"))
for name, entry in re.findall(r'"(classes|purposes)":\s+(\{.*?\}\}(?=\n))', block('"classes":  {'), re.S):
    catalogue[name].append(json.loads(entry))
json.dump(catalogue, open(sys.argv[2] + "/catalogue.json", "w"))
open(sys.argv[2] + "/rules/piscines.json", "w").write(block('{"format": "vault-rules/1", "policy": "piscines"'))
open(sys.argv[2] + "/tests/piscines.json", "w").write(block('{"format": "vault-tests/1", "suite": "piscines"'))
PY
expect 0 "$tool" check "$scratch/taught"
said "11 rules"
said "0 errors, 0 warnings"

# The three mistakes are found.
mistake() {
    rm -rf "$scratch/wrong"
    cp -r "$source/policy" "$scratch/wrong"
    sed -i "$2" "$scratch/wrong/rules/$1"
}
mistake emploi-plie.json 's/"article9": "9.2.a",//'
expect 1 "$tool" check "$scratch/wrong"
said "error: article9_missing: plie-referent-disability: "
mistake emploi-plie.json 's/"fields": \["health.disability_recognised"\],/"fields": ["health.disability_recognised", "identity.birth_date"],/'
expect 0 "$tool" check "$scratch/wrong"
said "warning: mixed_forms: plie-referent-core, plie-referent-disability: "
mistake champs-libres.json 's/"fields": \["culture.card_token"\]/"fields": ["culture.*"]/'
expect 0 "$tool" check "$scratch/wrong"
said "warning: wildcard_permit: library-travel-card"

# A failing test is an error of check, and exit 1 of test.
mistake champs-libres.json 's/"retain_at_most_days": 730/"retain_at_most_days": 731/'
expect 1 "$tool" test "$scratch/wrong"
said "1 failed"
expect 1 "$tool" check "$scratch/wrong"
said "error: test_fails: tests/champs-libres.json: "

# What cannot be loaded.
mistake champs-libres.json 's/"effect": "permit"/"effect": "allow"/'
for verb in check test decide; do
    expect 65 "$tool" "$verb" "$scratch/wrong"
    said "rules/champs-libres.json, line 4, column"
    said "/rules/0/effect: must be"
done
expect 65 "$tool" check "$scratch/wrong" --json
python3 -c 'import json,sys; f=json.load(open(sys.argv[1]))["fault"]; assert f["file"]=="rules/champs-libres.json" and f["line"]==4 and f["pointer"]=="/rules/0/effect", f' "$scratch/out"
expect 65 "$tool" check "$scratch/nowhere"
said "opening the folder $scratch/nowhere: No such file or directory"

# Decisions, line by line, and a line that is no request in between.
cat >"$scratch/lines" <<'LINES'
{"id":"r1","now":"2027-03-01T10:00:00Z","service":{"id":"star-tarif","classes":["mobility.operator"],"purposes":["mobility.solidarity_fare"]},"purpose":"mobility.solidarity_fare","fields":{"mobility.tariff_band":null,"household.monthly_resources":"band"},"atoms":{"assurance_at_least":"high"},"consents":[{"id":"c1","service":"star-tarif","purpose":"mobility.solidarity_fare","state":"given","at":"2027-02-01T00:00:00Z","expires":"2028-02-01T00:00:00Z","fields":{"mobility.tariff_band":null}}],"values":{"household.monthly_resources":950}}
oops
{"id":"r3"}
LINES
got=0
"$tool" decide "$source/policy" <"$scratch/lines" >"$scratch/raw" 2>"$scratch/err" || got=$?
sed 's/column [0-9]*: not JSON/column N: not JSON/' "$scratch/raw" >"$scratch/out"
[ "$got" -eq 0 ]
cat >"$scratch/wanted" <<'LINES'
{"fields":{"household.monthly_resources":{"by":[],"outcome":"no_rule"},"mobility.tariff_band":{"by":["star-fare-band"],"form":"as_is","must":{"no_onward_transfer":true,"retain_at_most_days":395},"outcome":"released","value":"2"}},"id":"r1"}
{"error":"line 1, column N: not JSON","id":null}
{"error":"line 1, column 1: the member \"now\" is missing","id":"r3"}
LINES
diff "$scratch/wanted" "$scratch/out"
passed=$((passed + 1))

# A line that is too long is answered, and the next one too.
python3 -c 'print("{\"id\":\"" + "x" * (1 << 20) + "\"}")' >"$scratch/long"
tail -n 1 "$scratch/lines" >>"$scratch/long"
"$tool" decide "$source/policy" <"$scratch/long" >"$scratch/out"
[ "$(wc -l <"$scratch/out")" -eq 2 ]
said "the line is too long"
said '"id":"r3"'

# Usage.
expect 64 "$tool"
expect 64 "$tool" check
expect 64 "$tool" check a b
expect 64 "$tool" check --jsn a
expect 64 "$tool" decide --json a
expect 64 "$tool" fly a
expect 0 "$tool" --help
said "check DIR [--json]"

echo "$passed passed, 0 failed"
