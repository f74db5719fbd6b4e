// symbols.c - names for addresses of code, from the files' own symbol tables: static functions too, no child, no malloc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why not backtrace_symbols: it knows what the dynamic linker exports, which of a program's own functions is next to nothing,
// and takes the linker's lock. _dl_find_object (glibc 2.35) takes none. File and line need debug information: that is
// addr2line's job, which the printed module offsets serve, and the detector's.
// Invariant (under lock): files[0, n_files) are filled in; nothing is ever taken out, so strings stay valid.
#include "symbols.h"

#include "base/lock.h"
#include "hooks.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 64
#define CACHE_SIZE 1024u // one entry per place, by the address's low bits: stacks repeat the same few

struct file {
    const struct link_map *map;
    const char *path;
    const Elf64_Sym *symbols; // NULL: none
    size_t n_symbols;
    const char *strings;
    size_t n_strings;
};

static struct {
    cspi_lock lock;
    struct file files[MAX_FILES];
    size_t n_files;
    struct {
        uintptr_t pc;
        cspi_symbol symbol;
    } cache[CACHE_SIZE];
    char own_path[512];
} known;

// --- reading a file --------------------------------------------------------------------------------------------------------

struct image {
    const char *bytes;
    size_t size;
};

static const void *part(const struct image *i, size_t offset, size_t size)
{
    return offset <= i->size && size <= i->size - offset ? i->bytes + offset : NULL;
}

static struct image map_file(const char *path)
{
    struct image i = {NULL, 0};
    CSP_HOOK(ignore_begin);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED)
            i = (struct image){p, (size_t)st.st_size};
    }
    if (fd >= 0)
        close(fd);
    CSP_HOOK(ignore_end);
    return i;
}

// The table of all functions, or of the exported ones where the file was stripped.
static const Elf64_Shdr *find_table(const struct image *i, const Elf64_Shdr **sections)
{
    const Elf64_Ehdr *header = part(i, 0, sizeof *header);
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
        return NULL;
    const Elf64_Shdr *s = part(i, header->e_shoff, header->e_shnum * sizeof *s), *found = NULL;
    for (size_t j = 0; s && j < header->e_shnum; j++)
        if (s[j].sh_link < header->e_shnum && (s[j].sh_type == SHT_SYMTAB || (!found && s[j].sh_type == SHT_DYNSYM)))
            found = &s[j];
    *sections = s;
    return found;
}

static void read_symbols(struct file *f, const char *path)
{
    struct image i = map_file(path);
    const Elf64_Shdr *sections, *table = find_table(&i, &sections);
    if (!table)
        return;
    const Elf64_Shdr *strings = &sections[table->sh_link];
    f->symbols = part(&i, table->sh_offset, table->sh_size);
    f->strings = part(&i, strings->sh_offset, strings->sh_size);
    f->n_symbols = f->symbols ? table->sh_size / sizeof *f->symbols : 0;
    f->n_strings = f->strings ? strings->sh_size : 0;
    if (f->n_strings == 0 || f->strings[f->n_strings - 1] != '\0')
        f->n_symbols = 0;
}

// The running program has no name in its link map.
static const char *own_path(void)
{
    ssize_t n = readlink("/proc/self/exe", known.own_path, sizeof known.own_path - 1);
    known.own_path[n > 0 ? n : 0] = '\0';
    return n > 0 ? known.own_path : "?";
}

static const struct file *file_of(const struct link_map *map)
{
    for (size_t i = 0; i < known.n_files; i++)
        if (known.files[i].map == map)
            return &known.files[i];
    if (known.n_files == MAX_FILES)
        return NULL;
    struct file *f = &known.files[known.n_files++];
    bool is_program = !map->l_name || !map->l_name[0];
    *f = (struct file){.map = map, .path = is_program ? own_path() : map->l_name};
    read_symbols(f, is_program ? "/proc/self/exe" : f->path);
    return f;
}

// --- looking up ------------------------------------------------------------------------------------------------------------

static const struct link_map *map_of(uintptr_t pc)
{
#if defined(DLFO_STRUCT_HAS_EH_DBASE)
    struct dl_find_object found;
    return _dl_find_object((void *)pc, &found) == 0 ? found.dlfo_link_map : NULL;
#else
    Dl_info info;
    struct link_map *map = NULL;
    return dladdr1((void *)pc, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
#endif
}

static void find_function(const struct file *f, size_t address, cspi_symbol *symbol)
{
    for (size_t i = 0; i < f->n_symbols; i++) {
        const Elf64_Sym *s = &f->symbols[i];
        if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && address - s->st_value < s->st_size && s->st_name < f->n_strings) {
            symbol->function = f->strings + s->st_name;
            symbol->offset = address - s->st_value;
            return;
        }
    }
}

static void find_locked(uintptr_t pc, cspi_symbol *symbol)
{
    const struct link_map *map = map_of(pc);
    const struct file *f = map ? file_of(map) : NULL;
    if (!f)
        return;
    symbol->module = f->path;
    symbol->in_module = pc - map->l_addr;
    find_function(f, symbol->in_module, symbol);
}

void cspi_symbol_find(uintptr_t pc, cspi_symbol *symbol)
{
    *symbol = (cspi_symbol){0};
    // A signal handler may have interrupted us here: then do without names rather than wait for ever.
    int tries = 0;
    while (!cspi_lock_try(&known.lock))
        if (++tries > 100)
            return;
        else
            syscall(SYS_nanosleep, &(struct timespec){0, 1000000}, NULL);
    size_t place = (pc ^ pc >> 10) % CACHE_SIZE;
    if (known.cache[place].pc != pc) {
        known.cache[place].symbol = (cspi_symbol){0};
        find_locked(pc, &known.cache[place].symbol);
        known.cache[place].pc = pc;
    }
    *symbol = known.cache[place].symbol;
    cspi_lock_release(&known.lock);
}
