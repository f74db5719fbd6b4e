// SiteText.cpp - finds the words of the source for a call site.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SiteText.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/Decl.h"
#include "clang/AST/ExprCXX.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Lex/Lexer.h"

#include <cctype>

using namespace clang;

namespace {

// Down to what names the object: without casts, parentheses and &; typed channels are handed over in transparent
// unions.
const Expr *stripToName(const Expr *E) {
  for (;;) {
    const Expr *Before = E;
    E = E->IgnoreUnlessSpelledInSource()->IgnoreParenCasts();
    if (const auto *Unary = dyn_cast<UnaryOperator>(E); Unary && Unary->getOpcode() == UO_AddrOf)
      E = Unary->getSubExpr();
    if (const auto *Literal = dyn_cast<CompoundLiteralExpr>(E); Literal && E->getType()->isUnionType())
      if (const auto *List = dyn_cast<InitListExpr>(Literal->getInitializer()); List && List->getNumInits() == 1)
        E = List->getInit(0);
    if (E == Before)
      return E;
  }
}

// The text of E when it is whole tokens of one file; else empty.
std::string writtenText(const Expr *E, const ASTContext &Context) {
  const SourceManager &SM = Context.getSourceManager();
  SourceLocation Begin = E->getBeginLoc(), End = E->getEndLoc();
  CharSourceRange Range =
      Lexer::makeFileCharRange(CharSourceRange::getTokenRange(Begin, End), SM, Context.getLangOpts());
  // Written inside a macro's body: a name as it stands there; more than that would show the macro's own parameters.
  if (Range.isInvalid() && isa<DeclRefExpr>(E))
    Range =
        Lexer::getAsCharRange(SourceRange(SM.getSpellingLoc(Begin), SM.getSpellingLoc(End)), SM, Context.getLangOpts());
  if (Range.isInvalid() || SM.getFileID(Range.getBegin()) != SM.getFileID(Range.getEnd()) ||
      !SM.isBeforeInTranslationUnit(Range.getBegin(), Range.getEnd()))
    return "";
  bool IsInvalid = false;
  StringRef Text = Lexer::getSourceText(Range, SM, Context.getLangOpts(), &IsInvalid);
  return IsInvalid ? "" : Text.str();
}

// What a macro wrapped in a call or a member access (CSP_RANGE does): its object.
const Expr *insideMacro(const Expr *E) {
  if (const auto *Call = dyn_cast<CallExpr>(E))
    return Call->getNumArgs() ? Call->getArg(0) : nullptr;
  if (const auto *Member = dyn_cast<MemberExpr>(E))
    return Member->getBase();
  return nullptr;
}

std::string onOneLine(StringRef Text) {
  std::string Out;
  for (char C : Text) {
    bool IsSpace = std::isspace(static_cast<unsigned char>(C));
    if (IsSpace && (Out.empty() || Out.back() == ' '))
      continue;
    Out.push_back(IsSpace ? ' ' : C);
  }
  return Out;
}

} // namespace

namespace csp {

std::string textOf(const Expr *E, const ASTContext &Context) {
  const Expr *Named = stripToName(E);
  if (const auto *Ref = dyn_cast<DeclRefExpr>(Named); Ref && isa<FunctionDecl>(Ref->getDecl()))
    return Ref->getDecl()->getNameAsString();
  if (isa<CompoundLiteralExpr, InitListExpr, LambdaExpr>(Named)) // no name
    return "";
  std::string Text = writtenText(Named, Context);
  while (Text.empty()) {
    const Expr *Inner = insideMacro(Named);
    if (!Inner)
      return "";
    Named = stripToName(Inner);
    Text = writtenText(Named, Context);
  }
  return onOneLine(Text);
}

SitePlace placeOf(const CallExpr *Call, const ASTContext &Context) {
  const SourceManager &SM = Context.getSourceManager();
  SourceLocation Loc = Call->getBeginLoc();
  if (Loc.isInvalid())
    return {};
  Loc = SM.getFileLoc(Loc);
  PresumedLoc Presumed = SM.getPresumedLoc(Loc);
  if (Presumed.isInvalid() || SM.isInSystemHeader(Loc))
    return {};
  return {Presumed.getFilename(), Presumed.getLine(), Presumed.getColumn(), true};
}

} // namespace csp
