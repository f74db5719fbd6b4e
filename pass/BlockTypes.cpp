// BlockTypes.cpp - writes down what heap blocks hold, so that reports can say "nodes[3].next" instead of "byte 56".
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   node *nodes = malloc(n * sizeof *nodes);   gives the line   main.c:12:17 \t n \t 16 \t 0 \t r \t node \t nodes
//
// in a section that is not loaded, keyed by the place that the line table gives the call: that survives inlining, every
// -O level and link-time optimization. csp-symbolizer reads it, and finds the members in the debug information.
//
// A call tells the type of its block when its untyped result becomes a typed pointer, or when it is a new-expression. A
// function that only hands on what it got from another call (`void *p = malloc(n); if (!p) die(); return p;`) is noted
// as such ('p'), so that the type may be told by its caller. Anything else says nothing: a wrong name is worse than
// none. Places that say two different things (macros, headers) are dropped by the reader.
//
// Columns: place, count (1: one, n: an array, ?: at least one, p: handed on), size of the type, bytes before the first
// element, kind (r: structure, s: what has no members), name of the type, name of the variable or empty.
#include "BlockTypes.h"
#include "RacePass.h"
#include "SiteText.h"

#include "clang/AST/RecordLayout.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Path.h"

using namespace clang;

namespace {

// The notes of this process's translation unit: the Clang half writes them, the LLVM half takes them.
struct Notes {
  std::string Lines;
  llvm::StringSet<> Known;
};
Notes &notes() {
  static Notes N;
  return N;
}

bool isUntyped(QualType T) {
  const auto *Pointer = T->getAs<PointerType>();
  return Pointer && (Pointer->getPointeeType()->isVoidType() || Pointer->getPointeeType()->isCharType());
}

// The returns of one function, without those of blocks and lambdas in it.
class ReturnFinder : public RecursiveASTVisitor<ReturnFinder> {
public:
  llvm::SmallVector<const Expr *, 4> Values;
  llvm::SmallVector<std::pair<const VarDecl *, const CallExpr *>, 4> Gets;

  bool TraverseLambdaExpr(LambdaExpr *) { return true; }
  bool TraverseBlockExpr(BlockExpr *) { return true; }
  bool VisitReturnStmt(ReturnStmt *R) {
    if (R->getRetValue())
      Values.push_back(R->getRetValue()->IgnoreParenCasts());
    return true;
  }
  bool VisitVarDecl(VarDecl *V) {
    noteGet(V, V->getInit());
    return true;
  }
  bool VisitBinaryOperator(BinaryOperator *B) {
    const auto *To = dyn_cast<DeclRefExpr>(B->getLHS()->IgnoreParens());
    if (B->getOpcode() == BO_Assign && To)
      noteGet(dyn_cast<VarDecl>(To->getDecl()), B->getRHS());
    return true;
  }

private:
  void noteGet(const VarDecl *V, const Expr *Value) {
    const auto *Call = Value ? dyn_cast<CallExpr>(Value->IgnoreParenCasts()) : nullptr;
    if (V && Call && V->hasLocalStorage() && isUntyped(V->getType()))
      Gets.push_back({V, Call});
  }
};

class BlockTypeVisitor : public RecursiveASTVisitor<BlockTypeVisitor> {
public:
  explicit BlockTypeVisitor(ASTContext &Context) : Context(Context) {}

  bool VisitVarDecl(VarDecl *V) {
    noteTarget(V->getInit(), V->getName());
    return true;
  }
  bool VisitBinaryOperator(BinaryOperator *B) {
    if (B->getOpcode() == BO_Assign)
      noteTarget(B->getRHS(), csp::textOf(B->getLHS(), Context));
    return true;
  }

  bool VisitCastExpr(CastExpr *C) {
    const auto *Call = dyn_cast<CallExpr>(C->getSubExpr()->IgnoreParens());
    if (!Call || C->getCastKind() != CK_BitCast || C->isTypeDependent() || !isUntyped(Call->getType()))
      return true;
    QualType T = C->getType()->getPointeeType();
    if (!isUntyped(C->getType()))
      note(Call->getExprLoc(), countOf(Call, T), T, 0, Targets.lookup(Call));
    return true;
  }

  bool VisitCXXNewExpr(CXXNewExpr *E) {
    if (E->isTypeDependent() || !E->getOperatorNew() || !E->getOperatorNew()->isReplaceableGlobalAllocationFunction())
      return true;
    QualType T = E->getAllocatedType();
    uint64_t Cookie = 0;
    if (E->isArray() && Context.getBaseElementType(T).isDestructedType())
      Cookie = std::max<uint64_t>(8, Context.getTypeAlignInChars(T).getQuantity());
    note(E->getExprLoc(), E->isArray() ? 'n' : '1', T, Cookie, Targets.lookup(E));
    return true;
  }

  bool VisitFunctionDecl(FunctionDecl *F) {
    if (!F->doesThisDeclarationHaveABody() || F->isDependentContext() || !isUntyped(F->getReturnType()))
      return true;
    ReturnFinder Found;
    Found.TraverseStmt(F->getBody());
    for (const CallExpr *Call : callsHandedOn(Found))
      addLine(Call->getExprLoc(), "p\t0\t0\ts\t\t");
    return true;
  }

private:
  // The calls whose values are all that the function returns, beside null pointers.
  llvm::SmallVector<const CallExpr *, 4> callsHandedOn(const ReturnFinder &Found) {
    llvm::SmallVector<const CallExpr *, 4> Calls;
    for (const Expr *Value : Found.Values) {
      if (const auto *Call = dyn_cast<CallExpr>(Value)) {
        Calls.push_back(Call);
        continue;
      }
      if (Value->isNullPointerConstant(Context, Expr::NPC_ValueDependentIsNotNull))
        continue;
      const auto *Ref = dyn_cast<DeclRefExpr>(Value);
      size_t Before = Calls.size();
      for (const auto &[Variable, Call] : Found.Gets)
        if (Ref && Variable == Ref->getDecl())
          Calls.push_back(Call);
      if (Calls.size() == Before)
        return {};
    }
    return Calls;
  }

  void noteTarget(const Expr *Init, llvm::StringRef Name) {
    if (Init && !Name.contains('\t'))
      Targets[Init->IgnoreUnlessSpelledInSource()->IgnoreParenCasts()] = Name.str();
  }

  bool isSizeOf(const Expr *E, QualType T) {
    const auto *Size = dyn_cast<UnaryExprOrTypeTraitExpr>(E->IgnoreParenCasts());
    return Size && Size->getKind() == UETT_SizeOf && !Size->isTypeDependent() &&
           Context.hasSameUnqualifiedType(Size->getTypeOfArgument(), T);
  }

  bool isProductOf(const Expr *E, QualType T) {
    const auto *Product = dyn_cast<BinaryOperator>(E->IgnoreParenCasts());
    return Product && Product->getOpcode() == BO_Mul &&
           (isSizeOf(Product->getLHS(), T) || isSizeOf(Product->getRHS(), T) || isProductOf(Product->getLHS(), T) ||
            isProductOf(Product->getRHS(), T));
  }

  // How many of T the caller asks for. What has no members is always an array.
  char countOf(const CallExpr *Call, QualType T) {
    unsigned Numbers = 0;
    bool HasSize = false, HasProduct = false;
    for (const Expr *Arg : Call->arguments()) {
      Numbers += Arg->getType()->isIntegerType();
      HasSize |= isSizeOf(Arg, T);
      HasProduct |= isProductOf(Arg, T);
    }
    if (HasProduct || (HasSize && Numbers > 1) || !T->isRecordType())
      return 'n';
    return HasSize ? '1' : '?';
  }

  void note(SourceLocation Loc, char Count, QualType T, uint64_t Before, llvm::StringRef Target) {
    if (T->isDependentType() || T->isIncompleteType() || !T->isObjectType() || T->isCharType() ||
        T->isVariableArrayType())
      return;
    bool IsRecord = T->isRecordType();
    std::string Name = IsRecord ? nameOf(T->getAsRecordDecl()) : T.getAsString(Context.getPrintingPolicy());
    if (Name.empty() || Name.find_first_of("\t\n") != std::string::npos)
      return;
    addLine(Loc, llvm::Twine(Count) + "\t" + llvm::Twine(Context.getTypeSizeInChars(T).getQuantity()) + "\t" +
                     llvm::Twine(Before) + "\t" + (IsRecord ? "r" : "s") + "\t" + Name + "\t" + Target);
  }

  // What debug information calls it.
  static std::string nameOf(const RecordDecl *R) {
    if (const TypedefNameDecl *Name = R->getTypedefNameForAnonDecl())
      return Name->getNameAsString();
    if (isa<ClassTemplateSpecializationDecl>(R))
      return ""; // their names there depend on options
    return R->getNameAsString();
  }

  void addLine(SourceLocation Loc, const llvm::Twine &Text) {
    const SourceManager &SM = Context.getSourceManager();
    PresumedLoc Place = SM.getPresumedLoc(SM.getFileLoc(Loc));
    if (Loc.isInvalid() || Place.isInvalid())
      return;
    std::string Line = (llvm::sys::path::filename(Place.getFilename()) + ":" + llvm::Twine(Place.getLine()) + ":" +
                        llvm::Twine(Place.getColumn()) + "\t" + Text + "\n")
                           .str();
    if (notes().Known.insert(Line).second)
      notes().Lines += Line;
  }

  ASTContext &Context;
  llvm::DenseMap<const Expr *, std::string> Targets;
};

// One place of the source stands for as many types as a template has instances.
bool isOfTemplate(const Decl *D) {
  for (; D; D = D->getDeclContext() ? dyn_cast<Decl>(D->getDeclContext()) : nullptr) {
    const auto *F = dyn_cast<FunctionDecl>(D);
    if ((F && F->isTemplateInstantiation()) || isa<ClassTemplateSpecializationDecl>(D))
      return true;
  }
  return false;
}

std::string escaped(llvm::StringRef Text) {
  std::string Out;
  for (char C : Text) {
    if (C == '"' || C == '\\')
      Out += '\\';
    Out += C == '\n' ? "\\n" : C == '\t' ? "\\t" : std::string(1, C);
  }
  return Out;
}

} // namespace

namespace csp {

void noteBlockTypes(Decl *D, ASTContext &Context) {
  if (!isOfTemplate(D))
    BlockTypeVisitor(Context).TraverseDecl(D);
}

void forgetBlockTypes() {
  notes() = {};
}

void emitBlockTypes(llvm::Module &M) {
  std::string Lines = std::move(notes().Lines);
  forgetBlockTypes();
  if (Lines.empty() || !M.getNamedMetadata("llvm.dbg.cu"))
    return;
  M.appendModuleInlineAsm("\t.pushsection .csp_blocks,\"\",%progbits");
  for (llvm::StringRef Rest = Lines; !Rest.empty();) {
    auto [Line, After] = Rest.split('\n');
    M.appendModuleInlineAsm("\t.ascii \"" + escaped(Line) + "\\n\"");
    Rest = After;
  }
  M.appendModuleInlineAsm("\t.popsection");
}

} // namespace csp
