# The story of one consent, each step with the command it ran and a check of what came back. Sourced
# by demo/run, with its variables.

client=$dir/clients/plie-rennes
cookies=$dir/browser.cookies
subject=$(sed -n 1p "$dir/subjects/plie-rennes")
login=exemple-1
password='exemple de mot de passe 1'
ask=$(tr -d '\n' <"$source_dir/demo/services/plie-rennes.example")

# show COMMAND...: print a command as one would type it.
show() {
    local word line='   $'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@%+,-]*) line="$line '$word'" ;;
        *) line="$line $word" ;;
        esac
    done
    say "${line//$dir/DIR}"
}

ok() { say "[$1/6] $2: ok"; }

# as_service CURL-OPTION...: the service's own key proves who it is.
as_service() {
    set -- curl -sS --max-time 30 --cacert "$ca" --cert "$client.pem" --key "$client.key" "$@"
    show "$@"
    "$@"
}

# as_browser CURL-OPTION...: the citizen's browser.
as_browser() {
    curl -sS --max-time 30 --cacert "$ca" -b "$cookies" -c "$cookies" -H 'Sec-Fetch-Site: same-origin' "$@"
}

# input NAME: the value of a form's input in the page on standard input.
input() {
    tr '\n' ' ' | grep -o "<input[^>]*name=\"$1\"[^>]*>" | sed -n 's/.*value="\([^"]*\)".*/\1/p' | head -n 1
}

# member NAME: a text or number of a JSON answer on standard input.
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

release() {
    as_service -H 'Content-Type: application/json' -d "{\"subject\":\"$subject\",${ask#\{}" \
        "$services/v1/releases"
}

# expect WHAT PATTERN TEXT
expect() {
    case $3 in
    *$2*) ;;
    *) fail "$1 was not as it should be: $(printf '%.300s' "$3")" ;;
    esac
}

step='a service asks before any consent'
answer=$(release)
expect 'the answer' '"released":{}' "$answer"
ok 1 'the employment plan asks about somebody, and gets nothing'

step='a service asks for consent'
fields=$(printf '%s' "$ask" | sed 's/.*"fields":\({[^}]*}\).*/\1/')
purpose=$(printf '%s' "$ask" | member purpose)
answer=$(as_service -H 'Content-Type: application/json' "$services/v1/access-requests" \
    -d "{\"purpose\":\"$purpose\",\"fields\":$fields,\"period_days\":180}")
code=$(printf '%s' "$answer" | member code)
request=$(printf '%s' "$answer" | member id)
expect 'the code' - "$code"
ok 2 "it asks for consent, and shows the code $code"

step='a citizen consents'
token=$(as_browser "$citizens/sign-in" | input form_token)
as_browser -o /dev/null "$citizens/sign-in" --data-urlencode "form_token=$token" \
    --data-urlencode "login=$login" --data-urlencode "password=$password"
token=$(as_browser "$citizens/" | input form_token)
location=$(as_browser -o /dev/null -w '%{redirect_url}' "$citizens/request" \
    --data-urlencode "form_token=$token" --data-urlencode "code=$code")
expect 'the page of the request' "$citizens/request/" "$location"
consent_page=$(as_browser "$location")
token=$(printf '%s' "$consent_page" | input form_token)
as_browser -o /dev/null "$location/give" --data-urlencode "form_token=$token" \
    --data-urlencode "shown=$(printf '%s' "$consent_page" | input shown)" \
    --data-urlencode "period=$(printf '%s' "$consent_page" | input period)"
answer=$(as_service "$services/v1/access-requests/$request")
expect 'the request' '"state":"granted"' "$answer"
ok 3 "the citizen signs in at $citizens and consents, for the shortest time offered"

step='the service reads'
answer=$(release)
expect 'the answer' '"withheld":[]' "$answer"
say "   $answer"
ok 4 'the service reads exactly that, in the strictest form'

step='the citizen withdraws'
token=$(as_browser "$citizens/withdraw?service=plie-rennes&purpose=$purpose" | input form_token)
as_browser -o /dev/null "$citizens/withdraw" --data-urlencode "form_token=$token" \
    -d service=plie-rennes -d "purpose=$purpose"
answer=$(release)
expect 'the answer' '"released":{}' "$answer"
ok 5 'the citizen withdraws, and the next request gets nothing'

step='the auditor verifies'
index=$(printf '%s' "$answer" | member index)
for _ in $(seq 100); do
    curl -sS --max-time 10 --cacert "$ca" -o "$dir/checkpoint" "$citizens/log/checkpoint"
    [ "$(sed -n 2p "$dir/checkpoint")" -le "$index" ] || break
    sleep 0.1
done
key=$(ctl status | sed -n 's/^log key *//p')
set -- "$bin/vault-audit" verify "$dir/vault/log" --key "$key" --known "$dir/checkpoint"
show vault-audit "${@:2}"
"$@" >"$dir/audit.txt" || fail "$(cat "$dir/audit.txt")"
ok 6 'the auditor verifies the log offline, against the checkpoint that was published'
