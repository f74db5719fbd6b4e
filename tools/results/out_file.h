// out_file.h - writes a file as a whole: whoever looks sees the old one or the new one, never a half.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_OUT_FILE_H
#define CSP_TOOLS_OUT_FILE_H

#include <stdbool.h>

// "-" is standard output; what is no regular file (/dev/stderr, a pipe) is written to as it is. A newline ends what is
// written. False, with *error malloc'ed and naming the file, when that fails.
bool cspt_out_file_write(const char *path, const char *text, char **error);

// Whether it could be written: asked before hours of work whose outcome goes there. False as above.
bool cspt_out_file_check(const char *path, char **error);

#endif
