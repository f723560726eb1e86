#!/usr/bin/env bash
# Speed of Sinter beside llama.cpp (node-llama-cpp, prebuilt for this CPU) on one model and the same threads.
#
#   bash examples/benchmark/run.sh MODEL.gguf [THREADS] [ROUNDS]
#
# Builds Sinter if it is not built, compiles MODEL for this machine, installs node-llama-cpp under build/ and lets
# both run in turns: prefill of 512 tokens, decode of 64. Needs Node 20 or later; without it nothing is measured.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../.ci/setup.sh"

model=${1:?usage: bash examples/benchmark/run.sh MODEL.gguf [THREADS] [ROUNDS]}
threads=${2:-$(nproc)}
rounds=${3:-5}
peer_version=3.22.1
modules=$SINTER_ROOT/build/benchmark/node_modules
tools=${SINTER_TOOLS:-$SINTER_ROOT/build/release/bin}
bundle=$SINTER_ROOT/build/benchmark/$(basename "$model" .gguf).sinter

[ -r "$model" ] || fail "$model: cannot be read"
node_major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
if [ "${node_major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
  echo "SKIPPED: the comparison needs Node 20 or later with npm (found: ${node_major:-none}); nothing was measured." >&2
  exit 0
fi

mkdir -p "$SINTER_ROOT/build/benchmark"
if [ ! -d "$modules/node-llama-cpp" ]; then
  # Its install script would only look for a compiler; the prebuilt binaries come as packages of their own.
  step "install node-llama-cpp $peer_version" npm install --prefix "$SINTER_ROOT/build/benchmark" --ignore-scripts \
    --no-audit --no-fund "node-llama-cpp@$peer_version"
fi
if [ ! -x "$tools/sinterc" ] || [ ! -x "$tools/sinter" ]; then
  install_packages build
  configure release
  build release sinterc sinter
fi
step "compile $(basename "$model") for this machine" "$tools/sinterc" "$model" -o "$bundle" --target=host
exec /usr/bin/env python3 "$here/compare.py" --sinter "$tools/sinter" --bundle "$bundle" --model "$model" \
  --modules "$modules" --threads "$threads" --rounds "$rounds"
