// modules.c - which file an address belongs to: /proc/self/maps and the ELF headers it shows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why not dl_iterate_phdr: it takes the loader's lock, which a thread inside a dlopen constructor holds while it may be
// waiting for the very thread that reports (rule C1).
#include "support/modules.h"
#include "rtl.h"
#include "support/print.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_MODULES = 1024, HEADER_BYTES = 4096 };
static cspr_module modules[MAX_MODULES]; // under the report lock
static size_t n_modules;

static const char *keep_path(const char *path)
{
    for (size_t i = 0; i < n_modules; i++)
        if (!strcmp(modules[i].path, path))
            return modules[i].path;
    return cspr_keep(path, strlen(path));
}

// A page of our own memory that somebody else may be unmapping (dlclose): copied by the system, which does not fault.
static bool copy_page(void *to, uintptr_t from)
{
    struct iovec here = {to, HEADER_BYTES}, there = {(void *)from, HEADER_BYTES};
    int saved = errno;
    ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    if (n < 0 && (errno == ENOSYS || errno == EPERM)) { // old kernels, strict containers
        memcpy(to, (const void *)from, HEADER_BYTES);
        n = HEADER_BYTES;
    }
    errno = saved;
    return n == HEADER_BYTES;
}

// The ELF header mapped at `base` says where the module's segments lie. False when it is not one.
static bool read_segments(uintptr_t base, cspr_image *image, char page[HEADER_BYTES])
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)page;
    if (!copy_page(page, base) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr) > HEADER_BYTES)
        return false;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(page + header->e_phoff);
    cspr_module *m = &image->module;
    uintptr_t lo = ~(uintptr_t)0, hi = 0;
    bool first = true;
    for (int i = 0; i < header->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (first)
            m->bias = base - (ph[i].p_vaddr - ph[i].p_offset);
        first = false;
        lo = ph[i].p_vaddr < lo ? ph[i].p_vaddr : lo;
        hi = ph[i].p_vaddr + ph[i].p_memsz > hi ? ph[i].p_vaddr + ph[i].p_memsz : hi;
    }
    m->lo = m->bias + lo;
    m->hi = m->bias + hi;
    image->headers = ph;
    image->n_headers = header->e_phnum;
    return !first;
}

// One line: "lo-hi perms offset dev inode   path". Only the readable first page of a file's mapping opens a module.
static bool read_line(const char *p, cspr_image *image, char page[HEADER_BYTES])
{
    uintptr_t lo = cspr_read_hex(&p);
    p++;
    uintptr_t hi = cspr_read_hex(&p);
    bool readable = p[1] == 'r';
    p += 6;
    uintptr_t offset = cspr_read_hex(&p);
    image->module.path = strchr(p, '/');
    return readable && offset == 0 && image->module.path && hi - lo >= HEADER_BYTES &&
           strncmp(image->module.path, "/dev/", 5) != 0 && read_segments(lo, image, page);
}

bool cspr_images_each(bool (*fn)(const cspr_image *image, void *arg), void *arg)
{
    size_t len, map_size;
    char *text = cspr_read_file("/proc/self/maps", &len, &map_size);
    if (!text)
        return false;
    _Alignas(16) char page[HEADER_BYTES];
    bool goes_on = true;
    for (char *line = text, *end; goes_on && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        cspr_image image = {0};
        *end = 0;
        if (read_line(line, &image, page))
            goes_on = fn(&image, arg);
    }
    cspr_unmap(text, map_size);
    return true;
}

static bool keep_module(const cspr_image *image, void *unused)
{
    (void)unused;
    cspr_module m = image->module;
    m.path = keep_path(m.path);
    modules[n_modules++] = m;
    return n_modules < MAX_MODULES;
}

static void read_maps(void)
{
    n_modules = 0;
    cspr_images_each(keep_module, NULL);
}

static bool look_up(uintptr_t addr, cspr_module *out)
{
    for (size_t i = 0; i < n_modules; i++)
        if (addr >= modules[i].lo && addr < modules[i].hi)
            return *out = modules[i], true;
    return false;
}

bool cspr_module_find(uintptr_t addr, cspr_module *out)
{
    if (look_up(addr, out))
        return true;
    read_maps();
    return look_up(addr, out);
}

// Bounds the linker gives to sections whose names are C identifiers; none when rtl's objects are linked one by one.
extern char text_start[] __asm__("__start_csp_text") __attribute__((weak, visibility("hidden")));
extern char text_stop[] __asm__("__stop_csp_text") __attribute__((weak, visibility("hidden")));
extern char bottom_start[] __asm__("__start_csp_bottom") __attribute__((weak, visibility("hidden")));
extern char bottom_stop[] __asm__("__stop_csp_bottom") __attribute__((weak, visibility("hidden")));

bool cspr_pc_is_ours(uintptr_t pc)
{
    return (pc > (uintptr_t)text_start && pc <= (uintptr_t)text_stop) || cspr_pc_is_bottom(pc);
}

bool cspr_pc_is_bottom(uintptr_t pc)
{
    return pc > (uintptr_t)bottom_start && pc <= (uintptr_t)bottom_stop;
}
