#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests. Continuous integration runs this and nothing else.
#
#   bash test/run.sh [SUITE...]      suites: unit lit e2e aarch64 asan (default: all of them)
#
#   unit     GoogleTest
#   lit      lit + FileCheck
#   e2e      whole tools on whole models: goldens, determinism, phases, errors, memory (test/e2e/)
#   aarch64  the same goldens on the AArch64 runtime under qemu, with NEON, dotprod and i8mm kernels
#   asan     broken models and bundles under AddressSanitizer and UBSan
#
# Environment: SINTER_MODELS (models with goldens; default ../shared/models; without them the tests that need them
# are skipped and counted), SINTER_JOBS (compilers at a time), SINTER_SKIP_PACKAGES=1 (install nothing),
# SINTER_FULL=1 (all files under qemu too, where the default takes the smallest of each kind).
# The last line is the total: "N passed, N failed", with ", N skipped" if there were any.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/setup.sh"
cd "$SINTER_ROOT"

suites=${*:-unit lit e2e aarch64 asan}
for suite in $suites; do
  case $suite in
    unit | lit | e2e | aarch64 | asan) ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "unknown suite '$suite'; known: unit lit e2e aarch64 asan" ;;
  esac
done
wanted() { [[ " $suites " == *" $1 "* ]]; }

# A folder that was named has to be there; the default may be missing: tests that need it then skip themselves.
export SINTER_MODELS=${SINTER_MODELS:-$SINTER_ROOT/../shared/models}
if [ ! -d "$SINTER_MODELS" ]; then
  echo "!!! NO MODELS at $SINTER_MODELS: only the two models of this repository are compared with goldens,"
  echo "!!! and every other test that needs models is skipped."
  echo "!!! Set SINTER_MODELS to a folder that holds own/, llama/, families/, vocab/ and text/ to run them."
  unset SINTER_MODELS
fi

python=/usr/bin/python3
[ -x $python ] || python=python3
results=$SINTER_ROOT/build/test-results
release=$SINTER_ROOT/build/release
rm -rf "$results"
mkdir -p "$results"
started=$EPOCHREALTIME

# suite NAME COMMAND...: shows a runner's output, keeps it for the total, goes on after failures.
suite() {
  local name=$1 start=$EPOCHREALTIME status
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$results/$name.log" && status=0 || status=$?
  printf '== %s: %s s%s\n' "$name" "$(seconds_between "$start" "$EPOCHREALTIME")" \
    "$([ "$status" = 0 ] || echo ', FAILED')"
  printf '%s %s\n' "$name" "$status" >>"$results/suites"
}

# A test of test/e2e: prints only what failed or was skipped, and the summary; the rest is in the log.
end_to_end() {
  local name=$1
  shift
  "$python" "test/e2e/$name.py" "$@" >"$results/$name.output" 2>&1 && status=0 || status=$?
  grep -vE '^PASS  ' "$results/$name.output" || true
  return $status
}

install_packages build test
configure release -DSINTER_BUILD_TESTS=ON
build release
if wanted aarch64; then
  step "configure aarch64" cmake -S runtime -B build/aarch64 -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_TOOLCHAIN_FILE="$SINTER_ROOT/runtime/cmake/aarch64-linux-gnu.cmake" \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  build aarch64 sinter
fi
if wanted asan; then
  configure asan -DSINTER_BUILD_TESTS=OFF
  build asan sinterc sinter
fi

if wanted unit; then
  mkdir -p "$results/unit"
  suite unit env GTEST_OUTPUT="xml:$results/unit/" GTEST_BRIEF=1 \
    ctest --test-dir "$release" --output-on-failure -j "$(nproc)"
fi
if wanted lit; then
  suite lit "$python" /usr/lib/llvm-19/build/utils/lit/lit.py -s -v -j "$(nproc)" --no-progress-bar \
    --xunit-xml-output "$results/lit.xml" "$release/test"
fi
if wanted e2e; then
  suite goldens end_to_end goldens
  suite determinism end_to_end determinism
  suite variants end_to_end variants
  suite kv_cache end_to_end kv_cache
  suite phases end_to_end phases
  suite tool end_to_end tool
  suite errors end_to_end errors
  suite memory end_to_end memory
fi
if wanted aarch64; then
  # `-cpu max` offers every feature; --variants names the kernels to run, and only those are compiled.
  emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu max"
  quick=--quick
  [ "${SINTER_FULL:-0}" = 1 ] && quick=
  suite goldens-aarch64 end_to_end goldens --target=aarch64:neon,dotprod,i8mm --variants=neon,dotprod,i8mm $quick \
    --sinter build/aarch64/bin/sinter --emulator "$emulator"
  suite variants-aarch64 end_to_end variants --target=aarch64 --sinter build/aarch64/bin/sinter --emulator "$emulator"
  suite tool-aarch64 end_to_end tool --target=aarch64 --sinter build/aarch64/bin/sinter --emulator "$emulator"
fi
if wanted asan; then
  suite broken end_to_end broken --tools build/asan/bin
fi

printf '\n== total, %s s\n' "$(seconds_between "$started" "$EPOCHREALTIME")"
exec "$python" test/summary.py "$results"
