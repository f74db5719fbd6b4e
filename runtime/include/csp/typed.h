// typed.h - channels whose element type and direction the compiler checks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     CSP_CHAN_TYPE(ints, int)                       // at file scope, once per element type
//     void produce(ints_tx out) { ints_send(out, 1); ints_close(out); }
//     void consume(ints_rx in) { int v; CSP_RANGE(v, in) use(v); }
//     ints c = ints_new(10);                         // room for 10; a pointer: NULL is the channel that is never ready
//     produce(c), consume(c);                        // c goes where a direction is wanted; a direction never goes back
//
// A wrong element type, a channel of another type, a receive from _tx, a send to or a close of _rx does not compile: in
// clang and gcc, in C and C++, with their default options. (Numbers convert among each other as everywhere in C.)
//
// To store a direction: `ints_tx out = {c};`, or ints_to_tx(c), ints_to_rx(c). In C a direction is a transparent union, whose
// members are the kinds of pointers that may be passed for it; in C++ it is a class. Both are one pointer.
#ifndef CSP_TYPED_H
#define CSP_TYPED_H

#include "chan.h"
#include "select.h"

// gcc before 14 and clang before 16 only warn when an int is passed for a pointer, or a pointer for another one.
#if defined(__clang__)
#define CSP_TYPED_STRICT                                                                                               \
    _Pragma("clang diagnostic error \"-Wint-conversion\"")                                                             \
        _Pragma("clang diagnostic error \"-Wincompatible-pointer-types\"")
#elif defined(__cplusplus)
#define CSP_TYPED_STRICT
#else
#define CSP_TYPED_STRICT                                                                                               \
    _Pragma("GCC diagnostic error \"-Wint-conversion\"")                                                               \
        _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")
#endif

#define CSP_TYPED_CALL static inline __attribute__((unused))

// Makes the types name, name_tx, name_rx and the functions for them; each does what the function of chan.h or select.h with
// the same ending does.
#define CSP_CHAN_TYPE(name, T)                                                                                         \
    CSP_TYPED_STRICT                                                                                                   \
    CSP_TYPED_TYPES(name, T)                                                                                           \
    /* A new channel with room for cap elements. */                                                                    \
    CSP_SITE CSP_TYPED_CALL name name##_new(size_t cap)                                                                \
    {                                                                                                                  \
        return (name)(void *)csp_chan_new(sizeof(T), cap);                                                             \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL void name##_free(name c)                                                                   \
    {                                                                                                                  \
        csp_chan_free((csp_chan *)(void *)c);                                                                          \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL void name##_send(name##_tx c, T v)                                                         \
    {                                                                                                                  \
        csp_send(name##_tx_raw(c), &v);                                                                                \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL bool name##_try_send(name##_tx c, T v)                                                     \
    {                                                                                                                  \
        return csp_try_send(name##_tx_raw(c), &v);                                                                     \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL void name##_close(name##_tx c)                                                             \
    {                                                                                                                  \
        csp_close(name##_tx_raw(c));                                                                                   \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL bool name##_recv(name##_rx c, T *v)                                                        \
    {                                                                                                                  \
        return csp_recv(name##_rx_raw(c), v);                                                                          \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL int name##_try_recv(name##_rx c, T *v)                                                     \
    {                                                                                                                  \
        return csp_try_recv(name##_rx_raw(c), v);                                                                      \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL csp_case name##_case_send(name##_tx c, T const *v)                                         \
    {                                                                                                                  \
        return csp_case_send(name##_tx_raw(c), v);                                                                     \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL csp_case name##_case_recv(name##_rx c, T *v, bool *ok)                                     \
    {                                                                                                                  \
        return csp_case_recv(name##_rx_raw(c), v, ok);                                                                 \
    }                                                                                                                  \
    CSP_TYPED_CALL name##_tx name##_to_tx(name c)                                                                      \
    {                                                                                                                  \
        name##_tx tx = {c};                                                                                            \
        return tx;                                                                                                     \
    }                                                                                                                  \
    CSP_TYPED_CALL name##_rx name##_to_rx(name c)                                                                      \
    {                                                                                                                  \
        name##_rx rx = {c};                                                                                            \
        return rx;                                                                                                     \
    }                                                                                                                  \
    /* To and from the untyped channel, for the functions that know no types. */                                       \
    CSP_TYPED_CALL csp_chan *name##_raw(name c)                                                                        \
    {                                                                                                                  \
        return (csp_chan *)(void *)c;                                                                                  \
    }                                                                                                                  \
    CSP_TYPED_CALL name name##_from_raw(csp_chan *c)                                                                   \
    {                                                                                                                  \
        return (name)(void *)c;                                                                                        \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL size_t name##_len(name##_any_ c)                                                           \
    {                                                                                                                  \
        return csp_len((csp_chan *)(void *)c.both);                                                                    \
    }                                                                                                                  \
    CSP_SITE CSP_TYPED_CALL size_t name##_cap(name##_any_ c)                                                           \
    {                                                                                                                  \
        return csp_cap((csp_chan *)(void *)c.both);                                                                    \
    }

#ifdef __cplusplus

// The structs are never made: they carry the element's type and what may be done with it.
#define CSP_TYPED_TYPES(name, T)                                                                                       \
    struct name##_chan_ {                                                                                              \
        typedef T csp_recv_elem;                                                                                       \
    };                                                                                                                 \
    typedef struct name##_chan_ *name;                                                                                 \
    struct name##_tx {                                                                                                 \
        name both;                                                                                                     \
        name##_tx(name c = nullptr) : both(c)                                                                          \
        {                                                                                                              \
        }                                                                                                              \
    };                                                                                                                 \
    struct name##_rx {                                                                                                 \
        typedef T csp_recv_elem;                                                                                       \
        name both;                                                                                                     \
        name##_rx(name c = nullptr) : both(c)                                                                          \
        {                                                                                                              \
        }                                                                                                              \
    };                                                                                                                 \
    struct name##_any_ {                                                                                               \
        name both;                                                                                                     \
        name##_any_(name c) : both(c)                                                                                  \
        {                                                                                                              \
        }                                                                                                              \
        name##_any_(name##_tx c) : both(c.both)                                                                        \
        {                                                                                                              \
        }                                                                                                              \
        name##_any_(name##_rx c) : both(c.both)                                                                        \
        {                                                                                                              \
        }                                                                                                              \
    };                                                                                                                 \
    CSP_TYPED_CALL csp_chan *name##_tx_raw(name##_tx c)                                                                \
    {                                                                                                                  \
        return (csp_chan *)(void *)c.both;                                                                             \
    }                                                                                                                  \
    CSP_TYPED_CALL csp_chan *name##_rx_raw(name##_rx c)                                                                \
    {                                                                                                                  \
        return (csp_chan *)(void *)c.both;                                                                             \
    }

template <class A, class B> struct csp_same_type {
    static const bool value = false;
};
template <class A> struct csp_same_type<A, A> {
    static const bool value = true;
};
template <class V> csp_chan *csp_range_chan(csp_chan *c, V &)
{
    return c;
}
template <class V, class S> csp_chan *csp_range_chan(S *c, V &)
{
    static_assert(csp_same_type<typename S::csp_recv_elem, V>::value,
                  "CSP_RANGE: the variable has not the element's type");
    return (csp_chan *)(void *)c;
}
template <class V, class S> csp_chan *csp_range_chan(const S &c, V &)
{
    static_assert(csp_same_type<typename S::csp_recv_elem, V>::value,
                  "CSP_RANGE: the variable has not the element's type");
    return (csp_chan *)(void *)c.both;
}
#define CSP_RANGE(v, ch) while (csp_recv(csp_range_chan((ch), (v)), &(v)))

#else

#define CSP_TYPED_TYPES(name, T)                                                                                       \
    struct name##_chan_ {                                                                                              \
        T csp_recv_elem;                                                                                               \
    };                                                                                                                 \
    struct name##_tx_ {                                                                                                \
        T csp_send_elem;                                                                                               \
    };                                                                                                                 \
    struct name##_rx_ {                                                                                                \
        T csp_recv_elem;                                                                                               \
    };                                                                                                                 \
    typedef struct name##_chan_ *name;                                                                                 \
    typedef union {                                                                                                    \
        struct name##_chan_ *both;                                                                                     \
        struct name##_tx_ *only;                                                                                       \
    } name##_tx __attribute__((transparent_union));                                                                    \
    typedef union {                                                                                                    \
        struct name##_chan_ *both;                                                                                     \
        struct name##_rx_ *only;                                                                                       \
    } name##_rx __attribute__((transparent_union));                                                                    \
    typedef union {                                                                                                    \
        struct name##_chan_ *both;                                                                                     \
        name##_tx tx;                                                                                                  \
        name##_rx rx;                                                                                                  \
    } name##_any_ __attribute__((transparent_union));                                                                  \
    CSP_TYPED_CALL csp_chan *name##_tx_raw(name##_tx c)                                                                \
    {                                                                                                                  \
        return (csp_chan *)(void *)c.both;                                                                             \
    }                                                                                                                  \
    CSP_TYPED_CALL csp_chan *name##_rx_raw(name##_rx c)                                                                \
    {                                                                                                                  \
        return (csp_chan *)(void *)c.both;                                                                             \
    }

// CSP_RANGE has to find out, in C, which of three kinds ch is: a csp_chan *, a typed channel (pointer) or a _rx (union).
// Each branch of __builtin_choose_expr must be well formed for all three, hence the stand-ins below.
struct csp_any_elem_ {
    char unused;
};
struct csp_any_chan_ {
    struct csp_any_elem_ csp_recv_elem;
};
union csp_any_rx_ {
    struct csp_any_chan_ *both;
    struct csp_any_chan_ *only;
};
#define CSP_POINTER_CLASS_ 5 // __builtin_classify_type of any pointer, in gcc and clang
#define CSP_RANGE_KIND_(ch) _Generic((ch), csp_chan *: (struct csp_any_chan_ *)(void *)0, default: (ch))
#define CSP_RANGE_IS_POINTER_(ch) (__builtin_classify_type(CSP_RANGE_KIND_(ch)) == CSP_POINTER_CLASS_)
#define CSP_RANGE_AS_POINTER_(ch)                                                                                      \
    __builtin_choose_expr(CSP_RANGE_IS_POINTER_(ch), CSP_RANGE_KIND_(ch), (struct csp_any_chan_ *)0)
#define CSP_RANGE_AS_UNION_(ch)                                                                                        \
    __builtin_choose_expr(CSP_RANGE_IS_POINTER_(ch), (union csp_any_rx_){(struct csp_any_chan_ *)0},                   \
                          CSP_RANGE_KIND_(ch))
#define CSP_RANGE_ELEM_(ch)                                                                                            \
    __typeof__(__builtin_choose_expr(CSP_RANGE_IS_POINTER_(ch), CSP_RANGE_AS_POINTER_(ch)->csp_recv_elem,              \
                                     CSP_RANGE_AS_UNION_(ch).only->csp_recv_elem))
#define CSP_RANGE_CHECK_(v, ch)                                                                                        \
    sizeof(struct {                                                                                                    \
        _Static_assert(__builtin_types_compatible_p(CSP_RANGE_ELEM_(ch), __typeof__(v)) ||                             \
                           __builtin_types_compatible_p(CSP_RANGE_ELEM_(ch), struct csp_any_elem_),                    \
                       "CSP_RANGE: the variable has not the element's type");                                          \
        char unused;                                                                                                   \
    })
#define CSP_RANGE_CHAN_(ch)                                                                                            \
    ((csp_chan *)__builtin_choose_expr(_Generic((ch), csp_chan *: 1, default: CSP_RANGE_IS_POINTER_(ch)),              \
                                       (void *)CSP_RANGE_RAW_(ch), (void *)CSP_RANGE_AS_UNION_(ch).both))
#define CSP_RANGE_RAW_(ch) __builtin_choose_expr(CSP_RANGE_IS_POINTER_(ch), (ch), (void *)0)

// Receives into the variable v, which was declared before and has the element's type, until ch is closed and drained; the
// statement or block behind it runs for each value: CSP_RANGE(v, ch) { ... }. ch is a channel of either kind, or an _rx; it
// is evaluated for each value. Go: for v := range ch.
#define CSP_RANGE(v, ch) while ((void)CSP_RANGE_CHECK_(v, ch), csp_recv(CSP_RANGE_CHAN_(ch), &(v)))

#endif
#endif
