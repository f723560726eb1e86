#!/usr/bin/env bash
# From a fresh Debian 12 to text: installs what is missing, builds the compiler and the runtime, compiles the
# example model for this machine and lets it write. See README.md for what happens on the way.
#
#   bash examples/quickstart.sh [PROMPT]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/setup.sh"

prompt=${1:-In the beginning}
model=$SINTER_ROOT/examples/models/tiny-f16.gguf
tools=$SINTER_ROOT/build/release/bin
bundle=$SINTER_ROOT/build/release/tiny-f16.sinter

install_packages build
# The unit tests are not built here, so GoogleTest is not asked for.
configure release -DSINTER_BUILD_TESTS=OFF
build release sinterc sinter
step "compile tiny-f16.gguf for this machine" "$tools/sinterc" "$model" -o "$bundle" --target=host
step "check the bundle" "$tools/sinter" inspect "$bundle" --verify

echo
"$tools/sinter" run "$bundle" -p "$prompt" -n 96
echo
cat <<END

The bundle is $(stat -c %s "$bundle") bytes and lies at ${bundle#"$SINTER_ROOT/"}. Go on with
  build/release/bin/sinter run build/release/tiny-f16.sinter -p "And it came to pass" -n 200
  build/release/bin/sinter inspect build/release/tiny-f16.sinter
  build/release/bin/sinterc --help
END
