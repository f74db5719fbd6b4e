// option_classes.c - leak_classes: which leaks fail the run; the others are reported all the same.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=0 --options='leak_classes=stuck' --args=orphaned --prefix=ORPHANED %s
// RUN: %check --status=66 --options='leak_classes=stuck' --args=stuck --prefix=STUCK %s
// RUN: %check --status=66 --options='leak_classes=orphaned' --args=orphaned --prefix=ORPHANED %s
// RUN: %check --status=0 --options='leak_classes=orphaned' --args=stuck --prefix=STUCK %s
// RUN: %check --status=0 --options='leak_classes=none:halt_on_error=1' --args=both --prefix=BOTH %s
// RUN: %check --status=66 --options='leak_classes=stuck+orphaned' --args=orphaned --prefix=ORPHANED %s
// RUN: %check --status=66 --options='leak_classes="stuck,orphaned"' --args=stuck --prefix=STUCK %s
// RUN: %check --status=66 --args=both --prefix=BOTH %s
#include <csp/csp.h>

#include <string.h>

static csp_chan *kept;

static void receiver(void *ch)
{
    csp_recv(ch, NULL);
}

int main(int argc, char **argv)
{
    const char *what = argv[argc - 1];
    if (strcmp(what, "stuck") != 0)
        csp_go(receiver, kept = csp_chan_new(0, 0));
    if (strcmp(what, "orphaned") != 0)
        csp_go(receiver, NULL); // a NULL channel: nothing can ever lead to it
    return 0;
}

// ORPHANED: (orphaned: it still waited at the end
// ORPHANED: CspThreadSanitizer: reported 1 warning
// STUCK: (stuck: nothing that can run leads to
// STUCK: CspThreadSanitizer: reported 1 warning
// BOTH-DAG: (orphaned: it still waited at the end
// BOTH-DAG: (stuck: nothing that can run leads to
// BOTH: CspThreadSanitizer: reported 2 warnings
