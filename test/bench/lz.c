// lz.c - byte-wise LZ77 compressor and decompressor on the heap: byte loads and stores, a hash table of positions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = 1 << 23,
    HASH_BITS = 14,
    MIN_MATCH = 4,
    MAX_MATCH = 130,
    MAX_LITERALS = 128,
    WINDOW = 65535,
    THREADS = 2
};

static uint32_t hash4(const uint8_t *p)
{
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return (v * 2654435761u) >> (32 - HASH_BITS);
}

static uint8_t *put_literals(uint8_t *out, const uint8_t *from, size_t n)
{
    while (n > 0) {
        size_t run = n < MAX_LITERALS ? n : MAX_LITERALS;
        *out++ = (uint8_t)(run - 1);
        for (size_t i = 0; i < run; i++)
            *out++ = *from++;
        n -= run;
    }
    return out;
}

// Format: 0..127 = that many + 1 literals follow; 128..255 = match of length (x - 128) + 4 at a 16-bit distance.
static size_t compress(const uint8_t *in, size_t n, uint8_t *out)
{
    uint32_t *head = calloc(1u << HASH_BITS, sizeof *head);
    uint8_t *start = out;
    size_t literals = 0, i = 0;
    while (i + MIN_MATCH <= n) {
        uint32_t h = hash4(in + i);
        size_t candidate = head[h], length = 0;
        head[h] = (uint32_t)i;
        if (candidate < i && i - candidate <= WINDOW)
            while (length < MAX_MATCH && i + length < n && in[candidate + length] == in[i + length])
                length++;
        if (length < MIN_MATCH) {
            i++;
            continue;
        }
        out = put_literals(out, in + literals, i - literals);
        *out++ = (uint8_t)(128 + length - MIN_MATCH);
        *out++ = (uint8_t)(i - candidate);
        *out++ = (uint8_t)((i - candidate) >> 8);
        i += length;
        literals = i;
    }
    out = put_literals(out, in + literals, n - literals);
    free(head);
    return (size_t)(out - start);
}

static size_t expand(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        uint8_t code = in[i++];
        if (code < 128) {
            for (size_t k = 0; k <= code; k++)
                out[at++] = in[i++];
        } else {
            size_t distance = in[i] | (size_t)in[i + 1] << 8;
            i += 2;
            for (size_t k = 0; k < (size_t)code - 128 + MIN_MATCH; k++, at++)
                out[at] = out[at - distance];
        }
    }
    return at;
}

static void *run(void *arg)
{
    uint32_t seed = (uint32_t)(uintptr_t)arg * 7919 + 1;
    uint8_t *text = malloc(SIZE), *packed = malloc(2 * SIZE), *back = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = (uint8_t)(seed >> 24 & 3 ? "the quick brown fox"[i % 19] : seed >> 16);
    }
    size_t n = compress(text, SIZE, packed), m = expand(packed, n, back);
    int same = m == SIZE;
    for (size_t i = 0; same && i < SIZE; i++)
        same = text[i] == back[i];
    free(text);
    free(packed);
    free(back);
    return (void *)(uintptr_t)(same ? n : 0);
}

int main(void)
{
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, run, (void *)i);
    for (size_t i = 0; i < THREADS; i++) {
        void *packed;
        pthread_join(t[i], &packed);
        printf("packed to %zu\n", (size_t)packed);
    }
}
