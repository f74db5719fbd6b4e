// go.h - coroutines: start one, give way, end, and panics.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A coroutine is a flow of its own on a small stack (64 KiB of address space, committed as it is used), run by a few OS
// threads (CSP_MAXPROCS, default the number of cores). A program's main is the main coroutine; the runtime starts with the
// first call. When main returns the process ends, whatever the others do. Every function may also be called from a pthread
// of the program, which then blocks where a coroutine would park. A coroutine may continue on another OS thread after any
// call that parks: do not keep the address of a thread-local variable over one. errno is each coroutine's own (errno.h).
#ifndef CSP_GO_H
#define CSP_GO_H

#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Starts fn(arg) as a coroutine; what the caller did before happens before it. Never fails: out of memory is a fatal error.
// Does not park. (Go's go statement.)
CSP_SITE void csp_go(void (*fn)(void *), void *arg);

// What may be asked for a coroutine; zero where nothing is.
typedef struct csp_go_options {
    const char *name; // for reports, dumps and debuggers; copied, up to 63 bytes
    size_t
        stack_size; // rounded up to a power of two from 16 KiB to 1 GiB; 0: 64 KiB. What is not used costs address space
    bool daemon;    // serves until the process ends: no leak when it is parked then
} csp_go_options;

// As csp_go, with options; NULL: none.
CSP_SITE void csp_go_with(const csp_go_options *options, void (*fn)(void *), void *arg);

// CSP_GO(fn, a, b, ...) starts fn(a, b, ...) as a coroutine: up to eight arguments of any types, evaluated and converted here
// as in a call, and copied. fn returns nothing. What would not compile as a call does not compile. Does not park.
// (A statement; Go's `go fn(a, b)`.)

// Sets a label of the calling coroutine, copying both strings; value NULL removes it. Coroutines started from then on inherit
// the labels. Reports and dumps show them. Does not park; out of memory is a fatal error. (runtime/pprof's labels)
void csp_label_set(const char *key, const char *value);

// The value of the calling coroutine's label, NULL: it has none. Valid until the coroutine sets a label or ends.
const char *csp_label(const char *key);

#if defined(__BLOCKS__)
CSP_SITE void csp_go_block_copy(const void *block);

// Starts a block as a coroutine (clang -fblocks; no other library is needed). What it captures is copied with it, as Clang's
// blocks do: values by value, `__block` variables by reference, in a place that lives until the last block and the function
// are done with it. A block that calls csp_exit is not released. Does not park. (Go's go func() { ... }())
CSP_SITE static inline void csp_go_block(void (^block)(void))
{
    csp_go_block_copy((const void *)block);
}
#endif

// Lets others run; the caller stays runnable. Makes no order between coroutines. (runtime.Gosched)
void csp_yield(void);

// Ends the calling coroutine; in main the process goes on with the others, and ends with a fatal error when none is left.
// In a pthread of the program: pthread_exit. Frames on the stack are not unwound. (runtime.Goexit)
__attribute__((noreturn)) void csp_exit(void);

// The calling coroutine's number: main is 1, numbers are not reused.
uint64_t csp_id(void);

// Coroutines that have not ended, main included; a moment's value, never less than were alive at some moment of the call: 1
// means that only main was left. (runtime.NumGoroutine)
size_t csp_count(void);

// Prints `panic: ` and the message and the coroutine's stack on standard error and ends the process with status 2.
__attribute__((noreturn, cold, format(printf, 1, 2))) void csp_panic(const char *format, ...);

// --- CSP_GO: how -----------------------------------------------------------------------------------------------------------

typedef void (*csp_captured)(void);
// What CSP_GO calls, through a pointer of fn's type, in place of fn; room: bytes of arguments, at most.
CSP_SITE csp_captured csp_go_capture(void (*fn)(void), size_t room);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
// C++ has a shorter way: a closure.
template <class Fn, class... Args> CSP_SITE inline void csp_go_call(Fn fn, Args... args)
{
    auto call = [=]() mutable { fn(args...); };
    using closure = decltype(call);
    csp_go(
        [](void *p) {
            closure *c = static_cast<closure *>(p);
            (*c)();
            delete c;
        },
        new closure(call));
}
#define CSP_GO(...) csp_go_call(__VA_ARGS__)
#else
#define CSP_GO_ROOM(a) ((sizeof(a) + 15) / 16 * 16)
// Arguments that compilers only warn of in a call are errors here.
#define CSP_GO_AS(fn, room, ...)                                                                                       \
    _Static_assert(__builtin_types_compatible_p(__typeof__((fn)(__VA_ARGS__)), void), "CSP_GO: fn returns nothing");   \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic error \"-Wint-conversion\"")                                \
        _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")(                                              \
            (__typeof__(&*(fn)))csp_go_capture((void (*)(void))(fn), (room)))(__VA_ARGS__);                            \
    _Pragma("GCC diagnostic pop")
#define CSP_GO_0(fn)                                                                                                   \
    do {                                                                                                               \
        CSP_GO_AS(fn, 0)                                                                                               \
    } while (0)
#define CSP_GO_1(fn, a)                                                                                                \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        CSP_GO_AS(fn, CSP_GO_ROOM(csp_a_), csp_a_);                                                                    \
    } while (0)
#define CSP_GO_2(fn, a, b)                                                                                             \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        CSP_GO_AS(fn, CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_), csp_a_, csp_b_);                                      \
    } while (0)
#define CSP_GO_3(fn, a, b, c)                                                                                          \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        CSP_GO_AS(fn, CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_), csp_a_, csp_b_, csp_c_);        \
    } while (0)
#define CSP_GO_4(fn, a, b, c, d)                                                                                       \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        __auto_type csp_d_ = (d);                                                                                      \
        CSP_GO_AS(fn, CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_) + CSP_GO_ROOM(csp_d_), csp_a_,   \
                  csp_b_, csp_c_, csp_d_);                                                                             \
    } while (0)
#define CSP_GO_5(fn, a, b, c, d, e)                                                                                    \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        __auto_type csp_d_ = (d);                                                                                      \
        __auto_type csp_e_ = (e);                                                                                      \
        CSP_GO_AS(fn,                                                                                                  \
                  CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_) + CSP_GO_ROOM(csp_d_) +              \
                      CSP_GO_ROOM(csp_e_),                                                                             \
                  csp_a_, csp_b_, csp_c_, csp_d_, csp_e_);                                                             \
    } while (0)
#define CSP_GO_6(fn, a, b, c, d, e, f)                                                                                 \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        __auto_type csp_d_ = (d);                                                                                      \
        __auto_type csp_e_ = (e);                                                                                      \
        __auto_type csp_f_ = (f);                                                                                      \
        CSP_GO_AS(fn,                                                                                                  \
                  CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_) + CSP_GO_ROOM(csp_d_) +              \
                      CSP_GO_ROOM(csp_e_) + CSP_GO_ROOM(csp_f_),                                                       \
                  csp_a_, csp_b_, csp_c_, csp_d_, csp_e_, csp_f_);                                                     \
    } while (0)
#define CSP_GO_7(fn, a, b, c, d, e, f, g)                                                                              \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        __auto_type csp_d_ = (d);                                                                                      \
        __auto_type csp_e_ = (e);                                                                                      \
        __auto_type csp_f_ = (f);                                                                                      \
        __auto_type csp_g_ = (g);                                                                                      \
        CSP_GO_AS(fn,                                                                                                  \
                  CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_) + CSP_GO_ROOM(csp_d_) +              \
                      CSP_GO_ROOM(csp_e_) + CSP_GO_ROOM(csp_f_) + CSP_GO_ROOM(csp_g_),                                 \
                  csp_a_, csp_b_, csp_c_, csp_d_, csp_e_, csp_f_, csp_g_);                                             \
    } while (0)
#define CSP_GO_8(fn, a, b, c, d, e, f, g, h)                                                                           \
    do {                                                                                                               \
        __auto_type csp_a_ = (a);                                                                                      \
        __auto_type csp_b_ = (b);                                                                                      \
        __auto_type csp_c_ = (c);                                                                                      \
        __auto_type csp_d_ = (d);                                                                                      \
        __auto_type csp_e_ = (e);                                                                                      \
        __auto_type csp_f_ = (f);                                                                                      \
        __auto_type csp_g_ = (g);                                                                                      \
        __auto_type csp_h_ = (h);                                                                                      \
        CSP_GO_AS(fn,                                                                                                  \
                  CSP_GO_ROOM(csp_a_) + CSP_GO_ROOM(csp_b_) + CSP_GO_ROOM(csp_c_) + CSP_GO_ROOM(csp_d_) +              \
                      CSP_GO_ROOM(csp_e_) + CSP_GO_ROOM(csp_f_) + CSP_GO_ROOM(csp_g_) + CSP_GO_ROOM(csp_h_),           \
                  csp_a_, csp_b_, csp_c_, csp_d_, csp_e_, csp_f_, csp_g_, csp_h_);                                     \
    } while (0)
#define CSP_GO_PICK(fn, a, b, c, d, e, f, g, h, name, ...) name
#define CSP_GO(...)                                                                                                    \
    CSP_GO_PICK(__VA_ARGS__, CSP_GO_8, CSP_GO_7, CSP_GO_6, CSP_GO_5, CSP_GO_4, CSP_GO_3, CSP_GO_2, CSP_GO_1,           \
                CSP_GO_0, )                                                                                            \
    (__VA_ARGS__)
#endif
#endif
