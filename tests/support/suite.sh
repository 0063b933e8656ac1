# What tests/run counts of the tests that ctest runs. It has $report, a folder, and counts $passed and $failed.

# what_failed PRESET: of what each test said that failed, where it names an error, and the end.
what_failed() {
    awk -v preset="$1" '
        function show(  i) {
            if (name != "")
                print "--- " preset ": " name
            for (i = 1; i <= said; i++)
                if (i > said - 40 || (line[i] ~ /ERROR|FAILED|Failure|Error:|^not ok/ && named++ < 20))
                    print line[i]
            name = ""
            said = named = 0
        }
        /^ *[0-9]+\/[0-9]+ Test / || /^ +Start +[0-9]+: / || /^[0-9]+% tests passed/ { show() }
        /^ *[0-9]+\/[0-9]+ Test .*\*\*\*/ { name = $0; next }
        name != "" { line[++said] = $0 }' "$report/log"
}

# failure PRESET WHAT: one more that failed.
failure() {
    failed=$((failed + 1))
    echo "FAIL  $1: $2"
}

# unsaid: the tests that ctest named, and then said nothing of.
unsaid() {
    awk 'FNR == NR { if (/^ *Test +#[0-9]+: /) { sub(/^ *Test +#[0-9]+: /, ""); wanted[$1] }; next }
        /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / { sub(/^[^:]*: /, ""); delete wanted[$1] }
        END { for (name in wanted) print name }' "$report/named" "$report/log" | sort
}

# suite PRESET [CTEST-OPTION...]: run its tests and add up what they say, one by one. A ctest that ends before
# its time says nothing of the rest: each test that it named first and said nothing of has failed.
suite() {
    local preset=$1 began=$SECONDS before=$failed code=0 line
    shift
    echo "run   $preset"
    ctest --preset "$preset" "$@" --show-only >"$report/named" 2>&1 || true
    grep -qE '^Total Tests: [1-9]' "$report/named" || failure "$preset" 'no tests were found'
    ctest --preset "$preset" --parallel $(($(nproc) + 2)) "$@" >"$report/log" 2>&1 || code=$?
    while read -r line; do
        case $line in
        *'***'*) failure "$preset" "$line" ;;
        *Passed*) passed=$((passed + 1)) ;;
        esac
    done < <(grep -E '^ *[0-9]+/[0-9]+ Test' "$report/log")
    while read -r line; do
        failure "$preset" "$line has not ended"
    done < <(unsaid)
    if [ "$failed" = "$before" ] && { [ "$code" != 0 ] || ! grep -q '^100% tests passed' "$report/log"; }; then
        failure "$preset" "ctest ended with $code, and names no test that failed"
        { echo "--- $preset" && tail -n 20 "$report/log"; } >>"$report/failed"
    fi
    if grep -q '\*\*\*' "$report/log"; then
        what_failed "$preset" >>"$report/failed"
    fi
    echo "ran   $preset: $(grep -cE 'Passed' "$report/log") tests passed, $((SECONDS - began)) s"
}
