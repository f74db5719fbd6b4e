// escape.h - strings of any bytes as other formats want them: clean UTF-8, URIs, workflow commands, HTML.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All return a new string, to be freed. File names, program output and symbol names hold whatever bytes they like.
#ifndef CSP_TOOLS_ESCAPE_H
#define CSP_TOOLS_ESCAPE_H

// Valid UTF-8 that XML 1.0 and JSON may hold: U+FFFD for each byte that is none, nothing for ANSI colours, '?' for other
// control characters than newline and tab. NULL is "".
char *cspt_escape_utf8(const char *s);

// The path as a URI has it: percent-encoded but for '/' and unreserved characters.
char *cspt_escape_path(const char *path);

// GitHub's workflow commands: the message, and a property (file=, title=).
char *cspt_escape_github_message(const char *s);
char *cspt_escape_github_property(const char *s);

// Text of an HTML element, also inside Markdown, where it must not look like markup either.
char *cspt_escape_html(const char *s);

// file as seen from the folder root, when it lies in it: "src/a.c"; NULL: it does not. "." and ".." and double slashes are
// resolved, links are not followed. A file that is relative already is taken to be relative to root.
char *cspt_relative_path(const char *root, const char *file);

#endif
