// hash.c - where the maps' seeds come from: one secret per process, asked of the kernel once, and a count of the maps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A system call per map would cost more than making the map. Without the secret nobody can tell one map's seed from another's.
// Ordering  E1 the one that asked: store-release of known -> the others: load-acquire; carries secret.
#include "hash.h"

#include "base/lock.h"
#include "hooks.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static cspi_hash_seed secret;
static uint32_t known;
static cspi_lock asking; // not pthread_once: the detector would take it for an order of the program's

static void ask_kernel_locked(void)
{
    int saved = errno;
    if (CSPI_CONTROLLED()) { // the order of a map's entries is the schedule's to choose
        secret = (cspi_hash_seed){CSP_HOOK_VALUE(random, 0), CSP_HOOK_VALUE(random, 0) | 1};
        return;
    }
    // Short or refused (an old kernel, early at boot): the clock and the address space layout are the best there is.
    if (getrandom(&secret, sizeof secret, GRND_NONBLOCK) != (ssize_t)sizeof secret) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        secret.a = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec;
        secret.b = (uint64_t)(uintptr_t)&now ^ (uint64_t)(uintptr_t)&secret << 16;
    }
    secret.b |= 1; // never a multiplication by zero
    errno = saved;
}

static void know_secret(void)
{
    if (csp_load_acq(&known)) // E1
        return;
    cspi_lock_acquire(&asking);
    if (!csp_load_rlx(&known)) { // relaxed: under the lock
        ask_kernel_locked();
        csp_store_rel(&known, 1u); // E1
    }
    cspi_lock_release(&asking);
}

cspi_hash_seed cspi_hash_seed_new(void)
{
    static uint64_t made;
    know_secret();
    uint64_t n = csp_add_rlx(&made, 1u); // relaxed: only to differ
    uint64_t a = cspi_hash_fold(secret.a ^ n, secret.b ^ 0xe7037ed1a0b428dbu);
    return (cspi_hash_seed){a, cspi_hash_fold(a ^ secret.b, n ^ 0x8ebc6af09c88c6e3u) | 1};
}
