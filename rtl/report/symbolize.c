// symbolize.c - functions, files, lines and variables for addresses: questions, answers, and what was answered before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything here runs under the report lock and calls nothing of the program's. What a report needs to know of its stacks is
// asked in one go, before they are made readable.
#include "report/symbolize.h"
#include "report/symbolizer.h"
#include "rtl.h"
#include "support/modules.h"
#include "support/print.h"

#include <string.h>

enum { MAX_INLINED = 32 };

// --- strings that live for ever, each once -----------------------------------------------------------------------------------

static const char *intern(const char *text, size_t n)
{
    enum { BUCKETS = 4096 };
    typedef struct entry {
        struct entry *next;
        size_t n;
        char text[];
    } entry;
    static entry *buckets[BUCKETS];
    static char *room;
    static size_t left;
    size_t hash = 5381;
    for (size_t i = 0; i < n; i++)
        hash = hash * 33 + (unsigned char)text[i];
    for (entry *e = buckets[hash % BUCKETS]; e; e = e->next)
        if (e->n == n && !memcmp(e->text, text, n))
            return e->text;
    size_t need = (sizeof(entry) + n + 8) & ~(size_t)7;
    if (need > left) {
        left = need > 65536 ? need : 65536;
        room = cspr_map(left);
    }
    entry *e = (entry *)room;
    room += need;
    left -= need;
    e->n = n;
    memcpy(e->text, text, n);
    e->text[n] = 0;
    e->next = buckets[hash % BUCKETS];
    buckets[hash % BUCKETS] = e;
    return e->text;
}

// --- answers -----------------------------------------------------------------------------------------------------------------

static const char *intern_known(const char *text, size_t n)
{
    return n == 0 || (n == 2 && !memcmp(text, "??", 2)) ? NULL : intern(text, n);
}

// Takes ":number" off the end of [text, text + *n).
static unsigned take_number(const char *text, size_t *n)
{
    size_t i = *n;
    while (i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9')
        i--;
    if (i == *n || i == 0 || text[i - 1] != ':')
        return 0;
    unsigned v = 0;
    for (size_t k = i; k < *n; k++)
        v = v * 10 + (unsigned)(text[k] - '0');
    *n = i - 1;
    return v;
}

static size_t line_length(const char *p)
{
    const char *end = strchr(p, '\n');
    return end ? (size_t)(end - p) : strlen(p);
}

static unsigned read_unsigned(const char *p)
{
    unsigned v = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (unsigned)(*p - '0');
    return v;
}

size_t cspr_symbolize_parse(const char *p, cspr_place *out, size_t max)
{
    size_t n = 0;
    while (n < max && *p && *p != '\n') {
        size_t function = line_length(p);
        const char *where = p + function + (p[function] == '\n');
        size_t file = line_length(where);
        const char *next = where + file + (where[file] == '\n');
        cspr_place place = {.function = intern_known(p, function)};
        place.column = take_number(where, &file);
        place.line = take_number(where, &file);
        place.file = intern_known(where, file);
        if (!place.file)
            place.line = place.column = 0;
        if (*next == '@') {
            size_t start = line_length(next);
            place.start_line = read_unsigned(next + 1);
            next += start + (next[start] == '\n');
        }
        out[n++] = place;
        p = next;
    }
    return n;
}

// --- what was answered before ----------------------------------------------------------------------------------------------------

// By pc. Open addressing; when half full it is emptied.
typedef struct cached {
    uintptr_t pc;
    size_t n;
    cspr_place *places;
} cached;
enum { CACHE_SIZE = 16384 };
static cached *cache;
static size_t n_cached;

static cached *find_cached(uintptr_t pc)
{
    if (!cache)
        cache = cspr_map(CACHE_SIZE * sizeof *cache);
    size_t i = (pc * 0x9e3779b97f4a7c15ull) >> 50;
    while (cache[i].pc && cache[i].pc != pc)
        i = (i + 1) % CACHE_SIZE;
    return &cache[i];
}

static cspr_place *keep_places(const cspr_place *places, size_t n)
{
    static cspr_place *room;
    static size_t left;
    if (n > left) {
        left = 1024;
        room = cspr_map(left * sizeof *room);
    }
    cspr_place *copy = room;
    memcpy(copy, places, n * sizeof *places);
    room += n;
    left -= n;
    return copy;
}

// Puts what was answered (NULL: nothing) for pc into the cache.
static void keep_answer(uintptr_t pc, const cspr_module *m, const char *answer)
{
    cspr_place places[MAX_INLINED] = {0};
    size_t n = answer ? cspr_symbolize_parse(answer, places, MAX_INLINED) : 0;
    if (n == 0)
        n = 1;
    for (size_t i = 0; i < n; i++) {
        places[i].pc = pc;
        places[i].module = m ? m->path : NULL;
        places[i].offset = m ? pc - m->bias : pc;
        places[i].ours = cspr_pc_is_ours(pc);
    }
    if (n_cached * 2 > CACHE_SIZE) {
        memset(cache, 0, CACHE_SIZE * sizeof *cache);
        n_cached = 0;
    }
    cached *c = find_cached(pc);
    n_cached += !c->pc;
    *c = (cached){pc, n, keep_places(places, n)};
}

// --- questions -----------------------------------------------------------------------------------------------------------------

enum { MAX_BATCH = 64 };

typedef struct batch {
    size_t n;
    size_t ends[MAX_BATCH];
    uintptr_t pc[MAX_BATCH];
    cspr_module module[MAX_BATCH];
    bool answered[MAX_BATCH];
} batch;

static void take_place(size_t index, const char *text, void *arg)
{
    batch *b = arg;
    keep_answer(b->pc[index], &b->module[index], text);
    b->answered[index] = true;
}

static void ask_batch(batch *b, cspr_text *questions)
{
    if (b->n)
        cspr_symbolizer_ask(questions, b->ends, b->n, take_place, b);
    for (size_t i = 0; i < b->n; i++)
        if (!b->answered[i])
            keep_answer(b->pc[i], &b->module[i], NULL);
    b->n = 0;
    questions->len = 0;
}

static void add_question(batch *b, cspr_text *questions, uintptr_t pc)
{
    cspr_module *m = &b->module[b->n];
    for (size_t i = 0; i < b->n; i++)
        if (b->pc[i] == pc)
            return;
    if (find_cached(pc)->pc)
        return;
    if (!cspr_module_find(pc - 1, m)) {
        keep_answer(pc, NULL, NULL);
        return;
    }
    // A return address follows the call: the byte before is inside it.
    cspr_text_add(questions, "%s \"%s\" 0x%lx\n", cspr_symbolizer_knows_variables() ? "FRAMES" : "CODE", m->path,
                  pc - 1 - m->bias);
    b->pc[b->n] = pc;
    b->answered[b->n] = false;
    b->ends[b->n++] = questions->len;
}

void cspr_symbolize_ahead(const uintptr_t *pcs, size_t n)
{
    static batch b; // under the report lock
    cspr_text questions = {0};
    for (size_t i = 0; i < n; i++) {
        add_question(&b, &questions, pcs[i]);
        if (b.n == MAX_BATCH)
            ask_batch(&b, &questions);
    }
    ask_batch(&b, &questions);
    cspr_text_fini(&questions);
}

size_t cspr_symbolize(uintptr_t pc, cspr_place *out, size_t max)
{
    cspr_symbolize_ahead(&pc, 1);
    const cached *c = find_cached(pc);
    size_t n = c->n < max ? c->n : max;
    memcpy(out, c->places, n * sizeof *out);
    return n;
}

typedef struct data_answer {
    cspr_object_name *out;
    uintptr_t bias;
} data_answer;

static uintptr_t read_decimal(const char **p)
{
    uintptr_t v = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        v = v * 10 + (uintptr_t)(**p - '0');
    return v;
}

static void take_data(size_t index, const char *text, void *arg)
{
    const data_answer *d = arg;
    size_t n = line_length(text);
    const char *p = text + n + (text[n] == '\n');
    (void)index;
    d->out->name = intern_known(text, n);
    d->out->start = read_decimal(&p) + d->bias;
    p += *p == ' ';
    d->out->size = read_decimal(&p);
}

bool cspr_symbolize_data(uintptr_t addr, cspr_object_name *out)
{
    cspr_module m;
    cspr_text question = {0};
    if (!cspr_module_find(addr, &m))
        return false;
    *out = (cspr_object_name){.module = m.path, .offset = addr - m.bias};
    cspr_text_add(&question, "DATA \"%s\" 0x%lx\n", m.path, addr - m.bias);
    data_answer d = {out, m.bias};
    cspr_symbolizer_ask(&question, &question.len, 1, take_data, &d);
    cspr_text_fini(&question);
    return true;
}

// --- variables: name \n path \n start size \n file:line, or nothing -----------------------------------------------------------

static void take_variable(size_t index, const char *text, void *arg)
{
    cspr_variable *v = arg;
    size_t n = line_length(text);
    (void)index;
    if (!n)
        return;
    v->name = intern(text, n);
    text += n + (text[n] == '\n');
    n = line_length(text);
    v->path = intern(text, n);
    text += n + (text[n] == '\n');
    read_decimal(&text);
    text += *text == ' ';
    v->size = read_decimal(&text);
    text += *text == '\n';
    n = line_length(text);
    v->line = take_number(text, &n);
    v->file = intern_known(text, n);
}

static bool ask_variable(cspr_variable *out, cspr_text *question)
{
    *out = (cspr_variable){0};
    cspr_symbolizer_ask(question, &question->len, 1, take_variable, out);
    cspr_text_fini(question);
    return out->name != NULL;
}

bool cspr_symbolize_global(uintptr_t addr, size_t size, cspr_variable *out)
{
    cspr_module m;
    cspr_text question = {0};
    if (!cspr_symbolizer_knows_variables() || !cspr_module_find(addr, &m))
        return false;
    cspr_text_add(&question, "GLOBAL \"%s\" 0x%lx %zu\n", m.path, addr - m.bias, size);
    return ask_variable(out, &question);
}

bool cspr_symbolize_local(uintptr_t pc, intptr_t offset, size_t size, cspr_variable *out)
{
    cspr_module m;
    cspr_text question = {0};
    if (!cspr_symbolizer_knows_variables() || !cspr_module_find(pc, &m))
        return false;
    cspr_text_add(&question, "LOCAL \"%s\" 0x%lx %ld %zu\n", m.path, pc - m.bias, (long)offset, size);
    return ask_variable(out, &question);
}

bool cspr_symbolize_tls(uintptr_t within, uintptr_t offset, size_t size, cspr_variable *out)
{
    cspr_module m;
    cspr_text question = {0};
    if (!cspr_symbolizer_knows_variables() || !cspr_module_find(within, &m))
        return false;
    cspr_text_add(&question, "TLS \"%s\" 0x%lx %zu\n", m.path, offset, size);
    return ask_variable(out, &question);
}

bool cspr_symbolize_block(const uintptr_t *frames, size_t n, size_t block_size, uintptr_t offset, size_t size,
                          cspr_variable *out)
{
    enum { MAX_CALLERS = 8 }; // functions that hand blocks on are not stacked higher
    cspr_text question = {0};
    if (!cspr_symbolizer_knows_variables() || n == 0)
        return false;
    cspr_text_add(&question, "BLOCK %zu %lu %zu", block_size, offset, size);
    for (size_t i = 0; i < n && i < MAX_CALLERS; i++) {
        cspr_module m;
        if (!cspr_module_find(frames[i] - 1, &m))
            break;
        cspr_text_add(&question, " \"%s\" 0x%lx", m.path, frames[i] - 1 - m.bias);
    }
    cspr_text_add(&question, "\n");
    return ask_variable(out, &question);
}
