// print.h - text for people without stdio: a growing buffer, a printf subset, and where the output goes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_PRINT_H
#define CSP_RTL_PRINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Text being built; memory comes from mmap and is doubled as needed. Zero-initialise, cspr_text_fini when done.
typedef struct cspr_text {
    char *data;
    size_t len, cap;
} cspr_text;

// Conversions: %s %.*s %c %d %u %x %p %% and the l, ll, z lengths, with a minimal width ("%5d"). Nothing else.
void cspr_text_add(cspr_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cspr_text_addv(cspr_text *t, const char *format, va_list args);
void cspr_text_bytes(cspr_text *t, const char *bytes, size_t n);
void cspr_text_fini(cspr_text *t);

// As snprintf with the conversions above; always terminates. Returns the length written.
size_t cspr_format(char *out, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Writes to where reports go (option log_path), in one write(2) unless the kernel takes less.
void cspr_print(const char *bytes, size_t n);
void cspr_print_err(const char *bytes, size_t n); // always standard error
// From now on: a path as log_path has, or a descriptor.
void cspr_print_to(const char *path);
void cspr_print_to_fd(int fd);
// Whether reports are coloured, and whether a person is looking at them (a terminal).
bool cspr_print_colored(void);

// open, read and write are places where a cancelled thread ends. In the midst of our work it must not: locks would stay held.
// Returns the state to go back to.
int cspr_cancel_off(void);
void cspr_cancel_on(int before);

// Bytes straight from the kernel, given back by cspr_unmap. Never NULL: out of memory ends the process.
void *cspr_map(size_t size);
void cspr_unmap(void *p, size_t size);

// A zero-terminated copy of text[0..n) that lives for ever. Not signal-safe.
char *cspr_keep(const char *text, size_t n);
void cspr_keep_fork_lock(bool take); // while the process forks (exit.c)

// A whole file (also one of /proc, whose size says 0), zero-terminated; NULL when it cannot be read (errno says why).
// The hexadecimal number at *p, as in /proc/self/maps; *p is left behind it.
uintptr_t cspr_read_hex(const char **p);
char *cspr_read_file(const char *path, size_t *len, size_t *map_size);

#endif
