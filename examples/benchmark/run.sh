#!/usr/bin/env bash
# Speed of Sinter beside llama.cpp on one model and the same threads, and both beside the machine's limits.
#
#   bash examples/benchmark/run.sh [OPTION...] MODEL.gguf [THREADS] [ROUNDS]
#
#   --llama-bench [NAME=]PATH   also compare with this llama-bench, of llama.cpp or of a fork; may be repeated
#   --peer-isa ISA              node-llama-cpp with the kernels of one instruction set only: haswell (AVX2), icelake,
#                               zen4, ...; in a copy, the installed one stays as it is
#   --variant NAME              Sinter's kernels of this variant: avx2, avx512vnni, ... (default: the best here)
#   --no-node                   leave node-llama-cpp out
#   --json                      print all rounds as JSON as well
#
# Builds Sinter if it is not built, compiles MODEL for this machine, installs node-llama-cpp (prebuilt for this CPU)
# under build/ and lets all run in turns: prefill of 512 tokens, decode of 64. Without Node 20 or later, and without a
# llama-bench, nothing is measured.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../.ci/setup.sh"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

peers=()
extra=()
words=()
isa='' variant='' node=yes
while [ $# -gt 0 ]; do
  case $1 in
    --llama-bench) peers+=(--llama-bench "${2:?--llama-bench needs a path}"); shift 2 ;;
    --llama-bench=*) peers+=("$1"); shift ;;
    --peer-isa) isa=${2:?--peer-isa needs a name}; shift 2 ;;
    --peer-isa=*) isa=${1#*=}; shift ;;
    --variant) variant=${2:?--variant needs a name}; shift 2 ;;
    --variant=*) variant=${1#*=}; shift ;;
    --no-node) node=no; shift ;;
    --json) extra+=(--json); shift ;;
    -h | --help) usage; exit 0 ;;
    -*) fail "unknown option '$1' (see --help)" ;;
    *) words+=("$1"); shift ;;
  esac
done
[ ${#words[@]} -ge 1 ] && [ ${#words[@]} -le 3 ] || { usage >&2; exit 1; }
model=${words[0]}
threads=${words[1]:-$(nproc)}
rounds=${words[2]:-5}
peer_version=3.22.1
place=$SINTER_ROOT/build/benchmark
modules=$place/node_modules
tools=${SINTER_TOOLS:-$SINTER_ROOT/build/release/bin}
bundle=$place/$(basename "$model" .gguf)${variant:+-$variant}.sinter

[ -r "$model" ] || fail "$model: cannot be read"
mkdir -p "$place"

# node_modules with the kernels of one instruction set, made of hard links.
restrict_peer() {
  local isa=$1 copy=$place/peer-$1 machine=linux-x64 kernels
  [ "$(uname -m)" = aarch64 ] && machine=linux-arm64
  kernels=@node-llama-cpp/$machine/bins/$machine
  if [ ! -e "$modules/$kernels/libggml-cpu-$isa.so" ]; then
    fail "--peer-isa $isa: node-llama-cpp has no kernels of this name; there are:" \
      "$(cd "$modules/$kernels" && ls libggml-cpu-*.so | sed 's/libggml-cpu-\(.*\)\.so/\1/' | tr '\n' ' ')"
  fi
  rm -rf "$copy"
  mkdir -p "$copy"
  cp -al "$modules" "$copy/node_modules"
  find "$copy/node_modules/@node-llama-cpp" -mindepth 1 -maxdepth 1 ! -name "$machine" -exec rm -rf {} +
  find "$copy/node_modules/$kernels" -name 'libggml-cpu-*.so' ! -name "libggml-cpu-$isa.so" -delete
  modules=$copy/node_modules
  peers+=(--peer-name "llama.cpp:$isa")
}

if [ "$node" = yes ]; then
  node_major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  if [ "${node_major:-0}" -ge 20 ] && command -v npm >/dev/null; then
    if [ ! -d "$modules/node-llama-cpp" ]; then
      # Its install script would only look for a compiler; the prebuilt binaries come as packages of their own.
      step "install node-llama-cpp $peer_version" npm install --prefix "$place" --ignore-scripts \
        --no-audit --no-fund "node-llama-cpp@$peer_version"
    fi
    [ -z "$isa" ] || restrict_peer "$isa"
    peers+=(--modules "$modules")
  else
    echo "SKIPPED: node-llama-cpp needs Node 20 or later with npm (found: ${node_major:-none})." >&2
  fi
fi
if [[ " ${peers[*]-} " != *" --modules "* && " ${peers[*]-} " != *"--llama-bench"* ]]; then
  echo "SKIPPED: there is nothing to compare with; nothing was measured." >&2
  exit 0
fi
if [ ! -x "$tools/sinterc" ] || [ ! -x "$tools/sinter" ]; then
  install_packages build
  configure release
  build release sinterc sinter
fi
step "compile $(basename "$model") for this machine" "$tools/sinterc" "$model" -o "$bundle" \
  --target="host${variant:+:$variant}"
exec /usr/bin/env python3 "$here/compare.py" --sinter "$tools/sinter" --bundle "$bundle" --model "$model" \
  --threads "$threads" --rounds "$rounds" "${peers[@]}" ${extra[@]+"${extra[@]}"}
