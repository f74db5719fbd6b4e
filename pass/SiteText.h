// SiteText.h - what a call site is called in reports: its place, and the channel, lock or function as written there.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_PASS_SITETEXT_H
#define CSP_PASS_SITETEXT_H

#include "clang/AST/Expr.h"

#include <string>

namespace csp {

// The source text of E, without a leading &, outer parentheses and line breaks; a function's name for a function. Empty
// when it is not one piece of a file, as when a macro pasted it together.
std::string textOf(const clang::Expr *E, const clang::ASTContext &Context);

// Where the user wrote the call, as #line and macro arguments have it.
struct SitePlace {
  std::string File;
  unsigned Line = 0;
  unsigned Column = 0;
  bool IsValid = false; // false: generated, or inside a system header
};
SitePlace placeOf(const clang::CallExpr *Call, const clang::ASTContext &Context);

} // namespace csp
#endif
