#!/bin/sh
# prelink.sh - makes libclang_rt.cspthread: one object of detector, runtime and libunwind, with only its own names visible.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: prelink.sh OUT.a WORKDIR RAW_HEADER STRING_INTERCEPTORS.o UNWIND.a[,MORE.a...] OBJECT...
# tools from the environment: CC, LLVM_LINK, LD, NM, OBJCOPY, AR; PROFILE: counts of what is run how often (profile.py), may be
# empty; PROFILE_FLAGS: what else of a profile to tell CC
#
#   1 libunwind's needed members become one object; the names it defines are noted; it gets
#     its modules from us, since dl_iterate_phdr takes a lock that a thread which waits for the reporting one may hold
#   2 objects that are bitcode are compiled as one: functions of the slow path call across files; what CC says of the profile
#     (functions that have changed since) goes into WORKDIR/profile.log, which a test reads
#   3 together with rtl and runtime, whose memcpy, strlen, ... become those of rawmem.h (the program's are checked, ours not)
#   4 the interceptors of those names are added
#   5 libunwind's names become local: the program's exceptions keep their own unwinder
#   6 all code becomes one section csp_text, whose bounds tell our frames from the program's; variables likewise csp_data and
#     csp_bss, which lead nowhere for the program (reach.h)
set -eu
out=$1 work=$2 raw=$3 strings=$4 unwinder=$(echo "$5" | tr , ' ')
shift 5
mkdir -p "$work"
rm -f "$work/joined.bc" "$work/profile.log"

# shellcheck disable=SC2086 # a list of files
"$LD" -r -o "$work/unwind.o" -u _ULx86_64_init_local -u _ULx86_64_step -u _ULx86_64_get_reg -u _Ux86_64_getcontext \
    --start-group $unwinder --end-group
"$OBJCOPY" --redefine-sym dl_iterate_phdr=cspr_unwind_iterate "$work/unwind.o"
"$NM" -g --defined-only "$work/unwind.o" | awk 'NF >= 3 { print $3 }' | sort -u >"$work/unwind.names"
sed -n 's/^ *RAW([^,]*, \([a-z]*\), .*/\1 cspr_raw_\1/p' "$raw" >"$work/raw.names"

n=$#
: >"$work/bitcode"
while [ "$n" -gt 0 ]; do # those that are code stay among the arguments
    if [ "$(head -c 2 "$1")" = BC ]; then
        printf '"%s"\n' "$1" >>"$work/bitcode"
    else
        set -- "$@" "$1"
    fi
    shift
    n=$((n - 1))
done
if [ -s "$work/bitcode" ]; then
    "$LLVM_LINK" -o "$work/joined.bc" "@$work/bitcode"
    # shellcheck disable=SC2086 # several flags, or none
    "$CC" -O2 -fno-pic -fno-addrsig ${PROFILE:+"-fprofile-use=$PROFILE"} ${PROFILE_FLAGS:-} -c -o "$work/joined.o" "$work/joined.bc" \
        2>"$work/profile.log" || failed=1
    grep -v -e 'hash mismatch' -e 'warnings* generated' "$work/profile.log" >&2 || :
    [ -z "${failed:-}" ] || exit 1
    set -- "$work/joined.o" "$@"
fi

"$LD" -r -o "$work/core.o" "$@" "$work/unwind.o"
"$OBJCOPY" --redefine-syms="$work/raw.names" "$work/core.o"
"$LD" -r -o "$work/all.o" "$work/core.o" "$strings"
"$OBJCOPY" --localize-symbols="$work/unwind.names" --rename-section .text=csp_text --rename-section .text.unlikely=csp_text \
    --rename-section .text.unlikely.=csp_text --rename-section .text.hot=csp_text --rename-section .text.hot.=csp_text \
    --rename-section .text.startup=csp_text --rename-section .text.exit=csp_text --rename-section .data=csp_data --rename-section .bss=csp_bss "$work/all.o"
if "$NM" -f sysv "$work/all.o" | grep '|\.text'; then
    echo "prelink.sh: the code of these functions would count as the program's: their section is not renamed" >&2
    exit 1
fi
rm -f "$out"
"$AR" rcs "$out" "$work/all.o"
