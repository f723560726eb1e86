# Set-up shared by examples/quickstart.sh and test/run.sh; sourced, not run. Offers
#   install_packages GROUP...   installs what is missing of the groups of .ci/packages.txt
#   build_jobs                  how many compilers fit: a core and 1.5 GB of memory each
#   step TITLE COMMAND...       runs a command quietly: one line with its seconds, its output only if it fails
#   configure PRESET [ARG...]   runs CMake for a preset
#   build PRESET TARGET...      runs ninja on a preset's tree
# Environment: SINTER_JOBS overrides the number of compilers; SINTER_SKIP_PACKAGES=1 leaves packages alone.

SINTER_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SINTER_LOGS=$SINTER_ROOT/build/logs

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The packages of the named groups, one a line.
packages_of() {
  awk -v wanted=" $* " '
    /^\[.*\]$/ { group = substr($0, 2, length($0) - 2); next }
    /^#/ || NF == 0 { next }
    index(wanted, " " group " ") { print $1 }' "$SINTER_ROOT/.ci/packages.txt"
}

missing_packages() {
  local name
  for name in $(packages_of "$@"); do
    dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q '^install ok installed$' || printf '%s\n' "$name"
  done
}

apt_install() {
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "$@"
}

install_packages() {
  [ "${SINTER_SKIP_PACKAGES:-0}" = 1 ] && return 0
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "this system has no apt: install what .ci/packages.txt names yourself, then set SINTER_SKIP_PACKAGES=1"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return 0
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    fail "these packages are missing; run as root: apt-get install ${missing[*]}"
  fi
  # sudo asks for its password here, where a person sees the question, not inside a logged step.
  [ "$(id -u)" = 0 ] || sudo -v || fail "these packages are missing; run as root: apt-get install ${missing[*]}"
  step "install ${#missing[@]} packages" apt_install "${missing[@]}"
}

build_jobs() {
  local cores memory limit jobs
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  # A container may have less than the machine.
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [ "$limit" != max ] && [ $((limit / 1048576)) -lt "$memory" ]; then memory=$((limit / 1048576)); fi
  jobs=$((memory / 1500))
  [ "$jobs" -gt "$cores" ] && jobs=$cores
  [ "$jobs" -lt 1 ] && jobs=1
  printf '%s\n' "${SINTER_JOBS:-$jobs}"
}

# Elapsed seconds with one decimal, from two values of EPOCHREALTIME.
seconds_between() {
  awk -v from="${1/,/.}" -v to="${2/,/.}" 'BEGIN { printf "%.1f", to - from }'
}

step() {
  local title=$1 log status start
  shift
  mkdir -p "$SINTER_LOGS"
  log=$SINTER_LOGS/${title//[^A-Za-z0-9_]/-}.log
  start=$EPOCHREALTIME
  [ -t 1 ] && printf '%-58s' "$title ..."
  "$@" >"$log" 2>&1 && status=0 || status=$?
  [ -t 1 ] && printf '\r'
  printf '%-58s %8s s%s\n' "$title" "$(seconds_between "$start" "$EPOCHREALTIME")" \
    "$([ "$status" = 0 ] || echo '  FAILED')"
  if [ "$status" != 0 ]; then
    # The first errors of a parallel build matter more than the commands that were under way at its end.
    { grep -nE '(^|[^a-z])(error|FAILED|fatal)[: ]' "$log" | head -n 20; echo '...'; tail -n 30 "$log"; } >&2
    printf 'error: "%s" failed (exit code %s); the whole output is in %s\n' "$title" "$status" "$log" >&2
    exit 1
  fi
}

configure() {
  local preset=$1
  shift
  step "configure $preset" cmake -S "$SINTER_ROOT" --preset "$preset" "$@"
}

build() {
  local preset=$1 jobs
  shift
  jobs=$(build_jobs)
  step "build $preset (${*:-everything}; $jobs at a time)" ninja -C "$SINTER_ROOT/build/$preset" -j "$jobs" "$@"
}
