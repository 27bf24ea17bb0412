#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The step of action.yml: runs `formwork validate` on what the FORMWORK_ variables say. Exits as it does.
set -euo pipefail

program=$(command -v formwork || true)
if [ -z "$program" ]; then
    make -C "$GITHUB_ACTION_PATH" build >&2
    program="$GITHUB_ACTION_PATH/.build/release/formwork"
fi

# Inputs are lists with one entry a line; nothing in them is run or split.
trimmed() {
    local text="$1"
    text="${text#"${text%%[![:space:]]*}"}"
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}

arguments=()
if [ -n "${FORMWORK_SCHEMA:-}" ]; then arguments+=(--schema "$FORMWORK_SCHEMA"); fi
while IFS= read -r line || [ -n "$line" ]; do
    line=$(trimmed "$line")
    if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"${FORMWORK_ARGUMENTS:-}"

shopt -s globstar nullglob
files=()
while IFS= read -r line || [ -n "$line" ]; do
    line=$(trimmed "$line")
    if [ -z "$line" ]; then continue; fi
    # A pattern is expanded as a whole, spaces and all.
    IFS= matches=($line)
    if [ -e "$line" ]; then matches=("$line"); fi
    if [ ${#matches[@]} -eq 0 ]; then
        echo "::error title=formwork::no file matches ${line//%/%25}"
        exit 6
    fi
    files+=("${matches[@]}")
done <<<"$FORMWORK_FILES"

if [ ${#files[@]} -eq 0 ]; then
    echo '::error title=formwork::no files are given'
    exit 5
fi

run() {
    "$program" validate --output "${FORMWORK_OUTPUT:-github}" \
        ${arguments[@]+"${arguments[@]}"} -- "${files[@]}"
}

if [ -n "${FORMWORK_REPORT:-}" ]; then
    run >"$FORMWORK_REPORT"
else
    run
fi
