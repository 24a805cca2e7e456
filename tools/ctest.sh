#!/usr/bin/env bash
# ctest.sh FOLDER [OPTION ...]: runs ctest there. What was skipped is told in its own words, from ctest's log,
# before the counts that close the output: whole tests, and single ones that pytest or cmocka left out.
set -euo pipefail
folder=$1
shift

# The log has, test after test: "N/M Test: NAME", what it said between two lines, "<end of output>".
reasons() { # NAMES of the tests that ctest calls skipped, each between spaces
    awk -v whole="$1" '
        function tell(line) {
            print "  " name ": " line
            told = 1
        }
        /^[0-9]+\/[0-9]+ Test: / { name = $3; skipped = index(whole, " " name " "); inside = told = 0; said = ""; next }
        /^Output:$/ && name != "" && !inside { inside = 1; getline; next }
        !inside { next }
        /^<end of output>$/ {
            if (skipped && !told) tell("skipped, and does not say why")
            inside = 0
            name = ""
            next
        }
        /^\[ RUN      \] / { said = ""; next }
        /^\[  SKIPPED \] / { if ($0 !~ /listed below:$/ && said != "-") tell($4 (said == "" ? "" : ": " said)); said = "-"; next }
        /^\[[ =]/ { said = "-"; next }
        skipped ? tolower($0) ~ /skip/ : /(^|: )(SKIPPED|skipped)( \[|:|$)/ { tell($0) }
        { if (said != "-") said = said (said == "" ? "" : "; ") $0 }
    ' "$folder/Testing/Temporary/LastTest.log"
}

ctest --test-dir "$folder" "$@" | {
    names=" " counts=() why=
    while IFS= read -r line; do
        [[ $line =~ ^\ *[0-9]+/[0-9]+\ Test\ +#[0-9]+:\ ([^ ]+)\ .*\*\*\*Skipped ]] && names+="${BASH_REMATCH[1]} "
        [[ ${#counts[@]} -gt 0 || $line =~ ^[0-9]+%\ tests\ passed ]] && counts+=("$line") || printf '%s\n' "$line"
    done
    [ ! -e "$folder/Testing/Temporary/LastTest.log" ] || why=$(reasons "$names")
    [ -z "$why" ] || printf 'SKIPPED:\n%s\n\n' "$why"
    [ ${#counts[@]} -eq 0 ] || printf '%s\n' "${counts[@]}"
}
