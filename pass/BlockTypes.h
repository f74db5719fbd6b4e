// BlockTypes.h - what heap blocks hold, as the source says it where they are allocated.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_PASS_BLOCKTYPES_H
#define CSP_PASS_BLOCKTYPES_H

#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclBase.h"

namespace csp {

// Notes the allocations in a top-level declaration. The notes are kept until emitBlockTypes takes them.
void noteBlockTypes(clang::Decl *D, clang::ASTContext &Context);
void forgetBlockTypes();

} // namespace csp
#endif
