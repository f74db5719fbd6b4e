// site.h - marks the functions whose calls the compiler plugin notes: file, line and the object as written there.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_SITE_H
#define CSP_SITE_H

// On a declaration: a build with -fsanitize=cspthread passes each call's place, and the text of its first argument, along,
// so that a report can say "sending on `results`". Means nothing to other compilers.
#if defined(__clang__)
#define CSP_SITE __attribute__((annotate("csp_site")))
#else
#define CSP_SITE
#endif

// One such place; only the runtime and the detector look inside.
struct csp_site;

#endif
