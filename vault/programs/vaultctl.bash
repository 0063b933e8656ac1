# Completion of vaultctl's commands and options in bash: source this file, or put it as "vaultctl" into
# bash-completion's folder. What there is to complete, vaultctl --help says: nothing is listed here.

# "GROUP VERB ARGUMENTS" for each command, "-" where there is no verb.
_vaultctl_commands() {
    "$1" --help 2>/dev/null |
        sed -n -e 's/^  \([a-z][a-z-]*\) \([a-z][a-z-]*\)\( .*\)\{0,1\}$/\1 \2 \3/p;t' \
            -e 's/^  \([a-z][a-z-]*\)\( .*\)\{0,1\}$/\1 - \2/p'
    "$1" policy --help 2>/dev/null | sed -n 's/^.*vaultctl policy \([a-z]*\) \(.*\)$/policy \1 \2/p'
}

# The options of a command, as its arguments or its own help name them: PROGRAM COMMANDS GROUP VERB
_vaultctl_options() {
    local -a command=("$3")
    ! grep -q "^$3 $4 " <<<"$2" || command+=("$4")
    {
        sed -n "s/^$3 $4 //p" <<<"$2"
        [ "$3" = policy ] || "$1" "${command[@]}" --help 2>/dev/null | sed -e 's,\[--socket PATH | --config FILE\],,' -e 's,needs --config,,'
    } | grep -o -- '--[a-z][a-z-]*'
    echo --help --json
}

_vaultctl() {
    local program=$1 word=${COMP_WORDS[COMP_CWORD]} group= verb= i=1 commands words=
    # The options before the group; after two of them comes a file.
    while [ "$i" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[i]} in
        --socket | --config) i=$((i + 1)) ;;
        --*) ;;
        *) break ;;
        esac
        i=$((i + 1))
    done
    COMPREPLY=()
    [ "$i" -le "$COMP_CWORD" ] || { mapfile -t COMPREPLY < <(compgen -f -- "$word") && return; }
    commands=$(_vaultctl_commands "$program")
    if [ "$i" = "$COMP_CWORD" ]; then
        words="$(cut -d' ' -f1 <<<"$commands") --socket --config --json --help --version"
    else
        group=${COMP_WORDS[i]}
        verb=${COMP_WORDS[i + 1]-}
        if [ "$((i + 1))" = "$COMP_CWORD" ]; then
            words=$(sed -n "s/^$group \([a-z][^ ]*\) .*/\1/p" <<<"$commands")
        fi
        words="$words $(_vaultctl_options "$program" "$commands" "$group" "$verb")"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word" | sort -u)
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _vaultctl vaultctl
