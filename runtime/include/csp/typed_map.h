// typed_map.h - maps whose key and value types the compiler checks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     CSP_MAP_TYPE(ages, const char *, int)          // at file scope, once per pair of types
//     ages m = ages_new();                           // a pointer: NULL is Go's nil map
//     ages_set(m, "ada", 36);
//     (*ages_ensure(m, "grace"))++;                  // m["grace"]++
//     const char *name; int *age;
//     for (ages_iter it = ages_each(m); ages_next(&it, &name, &age);)
//         printf("%s %d\n", name, *age);
//     ages_free(m);
//
// A key of type const char * is a string: the map keeps a copy, and compares the characters. Any other key is compared byte for
// byte, a pointer as a pointer; in C++ both types are trivially copyable. CSP_SYNCMAP_TYPE does the same for csp_syncmap. Each
// function does what that of map.h with the same ending does.
#ifndef CSP_TYPED_MAP_H
#define CSP_TYPED_MAP_H

#include "map.h"
#include "typed.h"

// Gone after inlining, also for debuggers and reports: what they show is the line that calls the map.
#if defined(__clang__)
#define CSP_TYPED_MAP_CALL static inline __attribute__((unused, always_inline, nodebug))
#else
#define CSP_TYPED_MAP_CALL static inline __attribute__((unused, always_inline, artificial))
#endif

// What the map takes as a key: a string's characters, or where the key lies.
CSP_TYPED_MAP_CALL const void *csp_typed_key_(const void *key, bool is_string)
{
    const void *text = key;
    if (is_string)
        __builtin_memcpy(&text, key, sizeof text);
    return text;
}

#ifdef __cplusplus
template <class K> struct csp_is_string_ {
    static const bool value = false;
};
template <> struct csp_is_string_<const char *> {
    static const bool value = true;
};
template <> struct csp_is_string_<char *> {
    static const bool value = true;
};
#define CSP_KEY_IS_STRING_(K) (csp_is_string_<K>::value)
#define CSP_TYPED_MAP_CHECK(K, V)                                                                                      \
    static_assert(__is_trivially_copyable(K) && __is_trivially_copyable(V), "maps copy keys and values byte for "      \
                                                                            "byte");
#else
#define CSP_KEY_IS_STRING_(K) _Generic(*(K *)0, const char *: true, char *: true, default: false)
#define CSP_TYPED_MAP_CHECK(K, V)
#endif

#define CSP_MAP_TYPE(name, K, V)                                                                                       \
    CSP_TYPED_STRICT                                                                                                   \
    CSP_TYPED_MAP_CHECK(K, V)                                                                                          \
    typedef struct name##_map_ *name;                                                                                  \
    typedef struct name##_iter {                                                                                       \
        csp_map_iter raw;                                                                                              \
    } name##_iter;                                                                                                     \
    CSP_TYPED_MAP_CALL csp_map *name##_raw(name m)                                                                     \
    {                                                                                                                  \
        return (csp_map *)(void *)m;                                                                                   \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL name name##_new(void)                                                                           \
    {                                                                                                                  \
        return (name)(void *)(CSP_KEY_IS_STRING_(K) ? csp_map_new_str(sizeof(V)) : csp_map_new(sizeof(K), sizeof(V))); \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_free(name m)                                                                        \
    {                                                                                                                  \
        csp_map_free(name##_raw(m));                                                                                   \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_get(name m, K key, V *value)                                                        \
    {                                                                                                                  \
        if (!m && value)                                                                                               \
            __builtin_memset((void *)value, 0, sizeof(V));                                                             \
        return csp_map_get(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), value);                         \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL V *name##_at(name m, K key)                                                                     \
    {                                                                                                                  \
        return (V *)csp_map_at(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)));                            \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL V *name##_ensure(name m, K key)                                                                 \
    {                                                                                                                  \
        return (V *)csp_map_ensure(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)));                        \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_set(name m, K key, V value)                                                         \
    {                                                                                                                  \
        csp_map_set(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &value);                               \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_delete(name m, K key)                                                               \
    {                                                                                                                  \
        return csp_map_delete(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)));                             \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL size_t name##_len(name m)                                                                       \
    {                                                                                                                  \
        return csp_map_len(name##_raw(m));                                                                             \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_clear(name m)                                                                       \
    {                                                                                                                  \
        csp_map_clear(name##_raw(m));                                                                                  \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL name##_iter name##_each(name m)                                                                 \
    {                                                                                                                  \
        name##_iter it = {csp_map_each(name##_raw(m))};                                                                \
        return it;                                                                                                     \
    }                                                                                                                  \
    /* key and value may be NULL. *key is a copy, or the map's own characters. */                                      \
    CSP_TYPED_MAP_CALL bool name##_next(name##_iter *it, K *key, V **value)                                            \
    {                                                                                                                  \
        const void *k;                                                                                                 \
        void *v;                                                                                                       \
        if (!csp_map_next(&it->raw, &k, &v))                                                                           \
            return false;                                                                                              \
        if (key)                                                                                                       \
            __builtin_memcpy((void *)key, CSP_KEY_IS_STRING_(K) ? (const void *)&k : k, sizeof(K));                    \
        if (value)                                                                                                     \
            *value = (V *)v;                                                                                           \
        return true;                                                                                                   \
    }

#define CSP_SYNCMAP_TYPE(name, K, V)                                                                                   \
    CSP_TYPED_STRICT                                                                                                   \
    CSP_TYPED_MAP_CHECK(K, V)                                                                                          \
    typedef struct name##_syncmap_ *name;                                                                              \
    struct name##_visitor_ {                                                                                           \
        bool (*fn)(K key, V *value, void *arg);                                                                        \
        void *arg;                                                                                                     \
    };                                                                                                                 \
    CSP_TYPED_MAP_CALL csp_syncmap *name##_raw(name m)                                                                 \
    {                                                                                                                  \
        return (csp_syncmap *)(void *)m;                                                                               \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL name name##_new(void)                                                                           \
    {                                                                                                                  \
        return (name)(void *)(CSP_KEY_IS_STRING_(K) ? csp_syncmap_new_str(sizeof(V))                                   \
                                                    : csp_syncmap_new(sizeof(K), sizeof(V)));                          \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_free(name m)                                                                        \
    {                                                                                                                  \
        csp_syncmap_free(name##_raw(m));                                                                               \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_load(name m, K key, V *value)                                                       \
    {                                                                                                                  \
        if (!m && value)                                                                                               \
            __builtin_memset((void *)value, 0, sizeof(V));                                                             \
        return csp_syncmap_load(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), value);                    \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_store(name m, K key, V value)                                                       \
    {                                                                                                                  \
        csp_syncmap_store(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &value);                         \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_load_or_store(name m, K key, V value, V *actual)                                    \
    {                                                                                                                  \
        return csp_syncmap_load_or_store(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &value, actual);  \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_load_and_delete(name m, K key, V *value)                                            \
    {                                                                                                                  \
        if (!m && value)                                                                                               \
            __builtin_memset((void *)value, 0, sizeof(V));                                                             \
        return csp_syncmap_load_and_delete(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), value);         \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_delete(name m, K key)                                                               \
    {                                                                                                                  \
        return csp_syncmap_delete(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)));                         \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_swap(name m, K key, V value, V *previous)                                           \
    {                                                                                                                  \
        return csp_syncmap_swap(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &value, previous);         \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_compare_and_swap(name m, K key, V expected, V value)                                \
    {                                                                                                                  \
        return csp_syncmap_compare_and_swap(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &expected,     \
                                            &value);                                                                   \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL bool name##_compare_and_delete(name m, K key, V expected)                                       \
    {                                                                                                                  \
        return csp_syncmap_compare_and_delete(name##_raw(m), csp_typed_key_(&key, CSP_KEY_IS_STRING_(K)), &expected);  \
    }                                                                                                                  \
    __attribute__((unused)) static bool name##_visit_(const void *k, void *v, void *arg)                               \
    {                                                                                                                  \
        struct name##_visitor_ *visitor = (struct name##_visitor_ *)arg;                                               \
        K key;                                                                                                         \
        __builtin_memcpy((void *)&key, CSP_KEY_IS_STRING_(K) ? (const void *)&k : k, sizeof(K));                       \
        return visitor->fn(key, (V *)v, visitor->arg);                                                                 \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_range(name m, bool (*fn)(K key, V * value, void *arg), void *arg)                   \
    {                                                                                                                  \
        struct name##_visitor_ visitor = {fn, arg};                                                                    \
        csp_syncmap_range(name##_raw(m), name##_visit_, &visitor);                                                     \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL void name##_clear(name m)                                                                       \
    {                                                                                                                  \
        csp_syncmap_clear(name##_raw(m));                                                                              \
    }                                                                                                                  \
    CSP_TYPED_MAP_CALL size_t name##_len(name m)                                                                       \
    {                                                                                                                  \
        return csp_syncmap_len(name##_raw(m));                                                                         \
    }

#endif
