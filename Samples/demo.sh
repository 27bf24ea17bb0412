#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the samples through the model and shows spec, input and output. FORMWORK, MODEL and THREADS come from the Makefile.
set -eu
formwork=${FORMWORK:-.build/release/formwork}
model=${MODEL:-smollm2}
threads=${THREADS:-2}
width=${COLUMNS:-120}
half=$(((width - 3) / 2))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

columns() { # two files beside each other
    pr -m -t -w "$width" "$1" "$2"
}

show() { # spec, input, output format
    name=$(basename "$(dirname "$2")")
    printf '\n=== %s: %s -> %s\n' "$name" "$2" "$3"
    if ! "$formwork" transform --schema "$1" --model "$model" --threads "$threads" --max-tokens 300 \
        --output "$3" --report "$2" >"$work/out" 2>"$work/report"; then
        cat "$work/report"
        failed=$((failed + 1))
        return
    fi
    { echo '--- spec'; fold -s -w "$half" "$1"; } >"$work/left"
    { echo '--- input'; fold -s -w "$half" "$2"; echo '--- output'; fold -s -w "$half" "$work/out"; } >"$work/right"
    columns "$work/left" "$work/right"
    cp "$work/out" "$work/result.$3"
    if "$formwork" validate --schema "$1" --source "$2" "$work/result.$3" >"$work/check" 2>&1; then
        verdict="valid under $1"
        count=$((count + 1))
    else
        verdict="INVALID: $(cat "$work/check")"
        failed=$((failed + 1))
    fi
    sed -n 's/.*"output":\([0-9]*\),"forced":\([0-9]*\).*"total":\([0-9.]*\).*/  \1 tokens, \2 of them forced, \3 ms/p' \
        "$work/report"
    printf '  %s\n' "$verdict"
}

for folder in Samples/*/; do
    name=$(basename "$folder")
    spec="Schemas/$name.yaml"
    [ -f "$spec" ] || continue
    for input in "$folder"*.txt; do
        [ -f "$input" ] || continue
        format=json
        [ "$name" = app-config ] && format=yaml
        show "$spec" "$input" "$format"
        break
    done
done

printf '\n%s transformations, all shown above; %s valid, %s failed\n' "$((count + failed))" "$count" "$failed"
[ "$failed" -eq 0 ] && [ "$count" -ge 6 ]
