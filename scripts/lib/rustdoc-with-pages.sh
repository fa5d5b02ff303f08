#!/usr/bin/env bash
# Stands for rustdoc where `cargo test --doc` runs the examples: makes the pages too, of the same crates; a warning is an error.
set -euo pipefail

rustdoc "$@"
case " $* " in *" --test "*) ;; *) exit 0 ;; esac
pages=()
while [ $# -gt 0 ]; do
  case $1 in
    --test) ;;
    --test-run-directory) shift ;;
    *) pages+=("$1") ;;
  esac
  shift
done
rustdoc "${pages[@]}" -D warnings --out-dir "${CARGO_TARGET_DIR:-target}/doc"
