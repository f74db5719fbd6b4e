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

// Between these two, declarations are visible to shared objects even where -fvisibility=hidden is given: a library that uses
// channels binds to the runtime of its executable.
#define CSP_PUBLIC_BEGIN _Pragma("GCC visibility push(default)")
#define CSP_PUBLIC_END _Pragma("GCC visibility pop")

// One such place; only the runtime and the detector look inside.
struct csp_site;

#endif
