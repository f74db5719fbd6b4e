#!/usr/bin/env bash
# dev.sh - everything a developer of cspthread does: packages, build, demo, tests, benchmarks, lint, format.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each command does first what it needs and is done again at no cost. Runs as root or with sudo; sudo is used for
# packages only, and only when one is missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${CSP_BUILD_DIR:-$root/build}
llvm=22

usage() {
    cat <<'EOF'
usage: tools/dev.sh COMMAND

  deps    install the Debian packages that are missing (Debian 12, x86-64)
  build   deps, then configure and build everything into build/
  demo    build, then show a race and a leak, and their fixed twins
  check   build, then run all tests; ctest's summary is the last thing printed. --full: 20,000 generated programs, every
          pair 50 times, the large scale tests (about two hours); the same as CSP_TEST_FULL=1
  bench   build, then run the benchmarks: the detector beside ThreadSanitizer and Go -race (table and plot in build/bench/;
          --publish copies them to docs/), the runtime beside Go; bench compile: time to compile; bench schedules: how many
          schedules each bug of test/schedules takes
  profile build, then count anew what the benchmarks run of the detector (rtl/profile.proftext), when much of it has changed
  lint    build, then clang-tidy, clang-format and shellcheck
  format  rewrite the C and C++ sources with clang-format

Environment: CSP_BUILD_DIR (default build), CSP_JOBS (default: the number of processors),
CSP_SKIP_DEPS=1 (take the packages as they are; for other systems than Debian 12).
EOF
}

say() { printf '\n== %s\n' "$*"; }
note() { printf 'dev.sh: %s\n' "$*" >&2; }
die() {
    printf 'dev.sh: error: %s\n' "$*" >&2
    exit 1
}

# --- packages ---------------------------------------------------------------------------------------------------------

# clang-22 is the compiler and the one the plugin is loaded into; llvm-22-dev and libclang-22-dev are what the plugin is
# built against; llvm-22 has llvm-symbolizer, llvm-22-tools lit and FileCheck; libclang-rt-22-dev has ubsan, for
# -fsanitize=cspthread,undefined, and ThreadSanitizer, to compare with; lld-22 is the linker of the LTO tests. g++
# brings the C++ library's headers and gcc, for the test that our headers need no clang; libboost-context-dev has the switch
# that ours is measured against; pkg-config finds libmicrohttpd, which libcsp_debug serves pages with, and has a test of its own;
# gdb runs tools/csp-gdb.py, whose knowledge of saved stacks would rot untested; valgrind is told of our stacks by its header.
# csp test reads findings and writes its results by jansson, and JUnit's XML by libxml2. What it writes is checked against the
# formats' schemas by libxml2-utils and python3-jsonschema, the recipes of docs/ci by python3-yaml, parallel, and a Slurm of one
# node (slurmctld, slurmd, slurm-client, munge) that the test starts and stops.
# The rest speaks for itself.
packages=(clang-22 llvm-22 llvm-22-dev llvm-22-tools libclang-22-dev libclang-rt-22-dev lld-22
    g++ cmake ninja-build python3 libunwind-dev libgtest-dev libboost-context-dev pkg-config valgrind
    libmicrohttpd-dev gdb libjansson-dev libxml2-dev libxml2-utils python3-jsonschema python3-yaml parallel
    slurmctld slurmd slurm-client munge)
lint_packages=(clang-format-22 clang-tidy-22 shellcheck)
# The benchmarks' plot; without it there is the table alone.
bench_packages=(python3-matplotlib)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "installing packages takes root: run tools/dev.sh deps as root, or install sudo"
    fi
}

# Prints what this system is when it is not Debian 12 on x86-64.
other_system() {
    local id='' version='' name=''
    if [ -r /etc/os-release ]; then
        # shellcheck source=/dev/null
        id=$(. /etc/os-release && echo "${ID:-}")
        # shellcheck source=/dev/null
        version=$(. /etc/os-release && echo "${VERSION_ID:-}")
        # shellcheck source=/dev/null
        name=$(. /etc/os-release && echo "${PRETTY_NAME:-}")
    fi
    if [ "$id" != debian ] || [ "$version" != 12 ] || [ "$(uname -m)" != x86_64 ]; then
        echo "${name:-an unknown system} on $(uname -m)"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

missing_of() {
    local package
    for package in "$@"; do
        is_installed "$package" || echo "$package"
    done
}

# LLVM 22 lies in bookworm-security. One line of either source format that names it is enough.
has_security_source() {
    grep -rqsE '^[^#]*bookworm-security' /etc/apt/sources.list /etc/apt/sources.list.d
}

add_security_source() {
    local file=/etc/apt/sources.list.d/bookworm-security.sources
    note "adding $file: clang $llvm is among Debian's security updates"
    as_root tee "$file" >/dev/null <<'EOF'
Types: deb
URIs: http://security.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
    local missing package failed=()
    mapfile -t missing < <(missing_of "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    has_security_source || add_security_source
    apt_get update || note "apt-get update failed in part: going on with the lists that are there"
    if ! apt_get install --yes --no-install-recommends "${missing[@]}"; then
        # Once more one by one, to name the one that cannot be had.
        for package in "${missing[@]}"; do
            is_installed "$package" || apt_get install --yes --no-install-recommends "$package" || failed+=("$package")
        done
        [ "${#failed[@]}" -eq 0 ] || die "apt-get could not install: ${failed[*]}"
    fi
    mapfile -t failed < <(missing_of "$@")
    [ "${#failed[@]}" -eq 0 ] || die "still missing after apt-get: ${failed[*]}"
}

need_packages() {
    [ "${CSP_SKIP_DEPS:-0}" != 1 ] || return 0
    local other
    other=$(other_system)
    if [ -n "$other" ]; then
        note "this is $other; cspthread is built on Debian 12 (bookworm), x86-64"
        die "install by hand what stands for ${packages[*]}, then set CSP_SKIP_DEPS=1"
    fi
    install_packages "$@"
}

deps() {
    need_packages "${packages[@]}"
    note "all packages are there"
}

# --- build ------------------------------------------------------------------------------------------------------------

jobs() { echo "${CSP_JOBS:-$(nproc)}"; }

build() {
    need_packages "${packages[@]}"
    say "configuring $build"
    # Quiet when all is well: the second and every later time it says nothing new.
    local log
    log=$(mktemp)
    if ! cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCMAKE_C_COMPILER=clang-$llvm -DCMAKE_CXX_COMPILER=clang++-$llvm >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "cmake could not configure $build"
    fi
    rm -f "$log"
    say "building (ninja, $(jobs) jobs)"
    cmake --build "$build" --parallel "$(jobs)"
}

# --- demo -------------------------------------------------------------------------------------------------------------

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# demo_one <example> <expected exit status>: compiles it, runs it, and fails the demo when it does not do as it should.
demo_one() {
    local source=docs/examples/$1.c program=build/demo/$1 status=0
    [ "$build" = "$root/build" ] || program=$build/demo/$1
    mkdir -p "$build/demo"
    show "$build/bin/cspcc" -fsanitize=cspthread -g -O1 "$source" -o "$program"
    show "$program" || status=$?
    echo "[exit status $status]"
    [ "$status" -eq "$2" ] || die "$source should have ended with status $2"
}

demo() {
    build
    cd "$root"
    unset CSPTHREAD_OPTIONS
    say "1. A race: docs/examples/counter_race.c"
    echo "A thousand coroutines increment one counter, and nothing orders the increments."
    demo_one counter_race 66
    cat <<'EOF'

What to look at: the two accesses, each with its stack down to the line, the name of the variable they meet at, and
where both coroutines were created. The exit status is 66, so a test run fails.
EOF
    say "   Its fixed twin: docs/examples/counter_mutex.c"
    demo_one counter_mutex 0
    say "2. A leak: docs/examples/leak.c"
    echo "A function takes the first of three replies; the coroutines with the others wait for ever."
    demo_one leak 66
    cat <<'EOF'

What to look at: which operation they wait in and on which channel, where that channel was made, and where the
coroutines were created.
EOF
    say "   Its fixed twin: docs/examples/leak_buffered.c"
    demo_one leak_buffered 0
    cat <<EOF

Both twins were silent. Change a program and try again:
  build/bin/cspcc -fsanitize=cspthread -g -O1 docs/examples/counter_race.c -o counter && ./counter
  build/bin/csp test --count=5 ./counter
EOF
}

# --- tests and benchmarks ---------------------------------------------------------------------------------------------

check() {
    case "${1:-}" in
    '') ;;
    --full) export CSP_TEST_FULL=1 ;;
    *) die "check: unknown option $1; there is --full" ;;
    esac
    build
    say "testing"
    # What the user's shell exports must not decide what tests see.
    unset CSPTHREAD_OPTIONS CSP_MAXPROCS CSPTHREAD_CLANG
    ctest --test-dir "$build" --parallel 2 --output-on-failure --no-tests=error
}

bench() {
    build
    need_packages "${bench_packages[@]}"
    if [ "${1:-}" = compile ]; then
        shift
        say "how long compiling takes"
        python3 "$root/test/bench/compile.py" --build "$build" "$@"
        return 0
    fi
    if [ "${1:-}" = schedules ]; then
        shift
        say "how many schedules each bug takes"
        python3 "$root/test/schedules/measure.py" --build "$build" "$@"
        return 0
    fi
    # `bench runtime ARGS` runs the second half alone; other arguments are the first half's.
    if [ "${1:-}" != runtime ]; then
        say "benchmarks of the detector"
        python3 "$root/test/bench/run.py" --build "$build" "$@"
        [ "$#" -eq 0 ] || return 0
    else
        shift
    fi
    say "benchmarks of the runtime, beside Go"
    python3 "$root/test/bench/runtime.py" --build "$build" "$@"
}

profile() {
    build
    say "counting what is run how often"
    python3 "$root/rtl/profile.py" --build "$build"
    build
}

# --- lint -------------------------------------------------------------------------------------------------------------

# Not docs/examples: what readers see is laid out by hand.
c_sources() {
    find "$root/runtime" "$root/rtl" "$root/pass" "$root/tools" "$root/test/unit" "$root/test/stress" "$root/test/bench" \
        \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.cc' \) -print0 2>/dev/null
}

# Our C that is built, with what it is built with. Not tools/selftest/planted.c, which csp selftest compiles.
built_c_sources() {
    local file
    sed -n 's/^ *"file": "\(.*\.c\)",\{0,1\}$/\1/p' "$build/compile_commands.json" | sort -u |
        while IFS= read -r file; do
            case $file in
            "$root/runtime/"* | "$root/rtl/"* | "$root/tools/"*) printf '%s\0' "$file" ;;
            esac
        done
}

lint() {
    build
    need_packages "${lint_packages[@]}"
    local bad=0
    say "clang-format"
    c_sources | xargs -0 clang-format-$llvm --dry-run -Werror || bad=1
    say "clang-tidy"
    built_c_sources | xargs -0 -P "$(jobs)" -n 4 clang-tidy-$llvm -p "$build" --quiet || bad=1
    say "shellcheck"
    shellcheck "$root/tools/dev.sh" "$root/.ci/run" "$root"/docs/ci/*.sh || bad=1
    [ "$bad" -eq 0 ] || die "lint found something"
    note "lint is clean"
}

format() {
    need_packages clang-format-$llvm
    c_sources | xargs -0 clang-format-$llvm -i
}

main() {
    case "${1:-}" in
    deps | build | demo | check | bench | profile | lint | format)
        local command=$1
        shift
        [ "$#" -eq 0 ] || [ "$command" = bench ] || [ "$command" = check ] || die "$command takes no arguments"
        "$command" "$@"
        ;;
    -h | --help | help) usage ;;
    '')
        usage >&2
        exit 64
        ;;
    *)
        usage >&2
        note "unknown command: $1"
        exit 64
        ;;
    esac
}

main "$@"
