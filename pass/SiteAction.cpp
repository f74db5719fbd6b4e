// SiteAction.cpp - the Clang half: puts the place and the object of every call that matters to reports into the AST.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   csp_send(results, &v)    becomes    csp_send(results, __csp_site.0(&v, "results", "main.c", 12, 5))
//
// The last argument is wrapped, since Clang evaluates arguments in order: when the marker is reached, no marked call
// among the arguments is still to come, so what it sets is what the callee takes. Markers are declared here, one per
// type of last argument; Sites.cpp replaces their calls before any other pass sees them. A last argument that is a
// structure cannot be passed through a marker without copying it; there the marker stands before it, after a comma
// operator.
//
// Marked are calls of functions declared annotate("csp_site"), and of the C library's thread functions. The bodies of
// annotated functions are left alone: they are wrappers (typed channels), and the place is that of their caller.
// Dependent code is left to its instantiations.
//
// Consumers are called in order, ours before code generation, for one top-level declaration after the other.
#include "BlockTypes.h"
#include "RacePass.h"
#include "SiteText.h"

#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Frontend/FrontendPluginRegistry.h"

using namespace clang;

namespace {

// The C library's functions whose calls are marked; the number is the argument that names the object.
struct LibraryFunction {
  llvm::StringLiteral Name;
  unsigned Object;
};
// clang-format off
constexpr LibraryFunction LibraryFunctions[] = {
    {"pthread_create", 2},          {"pthread_join", 0},           {"pthread_detach", 0},
    {"pthread_mutex_init", 0},      {"pthread_mutex_destroy", 0},  {"pthread_mutex_lock", 0},
    {"pthread_mutex_trylock", 0},   {"pthread_mutex_timedlock", 0}, {"pthread_mutex_unlock", 0},
    {"pthread_rwlock_init", 0},     {"pthread_rwlock_destroy", 0}, {"pthread_rwlock_rdlock", 0},
    {"pthread_rwlock_wrlock", 0},   {"pthread_rwlock_tryrdlock", 0}, {"pthread_rwlock_trywrlock", 0},
    {"pthread_rwlock_unlock", 0},   {"pthread_cond_init", 0},      {"pthread_cond_destroy", 0},
    {"pthread_cond_wait", 0},       {"pthread_cond_timedwait", 0}, {"pthread_cond_signal", 0},
    {"pthread_cond_broadcast", 0},  {"pthread_spin_init", 0},      {"pthread_spin_destroy", 0},
    {"pthread_spin_lock", 0},       {"pthread_spin_trylock", 0},   {"pthread_spin_unlock", 0},
    {"pthread_barrier_init", 0},    {"pthread_barrier_wait", 0},   {"pthread_barrier_destroy", 0},
    {"pthread_once", 0},            {"sem_init", 0},               {"sem_destroy", 0},
    {"sem_wait", 0},                {"sem_trywait", 0},            {"sem_timedwait", 0},
    {"sem_post", 0},                {"thrd_create", 1},            {"thrd_join", 0},
    {"thrd_detach", 0},             {"mtx_init", 0},               {"mtx_destroy", 0},
    {"mtx_lock", 0},                {"mtx_trylock", 0},            {"mtx_timedlock", 0},
    {"mtx_unlock", 0},              {"cnd_init", 0},               {"cnd_destroy", 0},
    {"cnd_wait", 0},                {"cnd_timedwait", 0},          {"cnd_signal", 0},
    {"cnd_broadcast", 0},           {"call_once", 0},
};
// clang-format on

bool isAnnotated(const FunctionDecl *F) {
  for (const auto *Note : F->specific_attrs<AnnotateAttr>())
    if (Note->getAnnotation() == csp::SiteAnnotation)
      return true;
  return false;
}

const LibraryFunction *findLibraryFunction(const FunctionDecl *F) {
  if (!F->getIdentifier() || !F->isExternC())
    return nullptr;
  for (const LibraryFunction &L : LibraryFunctions)
    if (F->getName() == L.Name)
      return &L;
  return nullptr;
}

// Makes the marker functions and their calls.
class MarkerFactory {
public:
  explicit MarkerFactory(ASTContext &Context) : Context(Context) {}

  // The call of a marker that passes Value through; Value null: of one that returns nothing.
  CallExpr *call(Expr *Value, llvm::StringRef Text, const csp::SitePlace &Place, SourceLocation Loc) {
    QualType T = Value ? Value->getType().getCanonicalType().getUnqualifiedType() : Context.VoidTy;
    FunctionDecl *Marker = markerOf(T);
    QualType Pointer = Context.getPointerType(Marker->getType());
    Expr *Callee = DeclRefExpr::Create(Context, NestedNameSpecifierLoc(), SourceLocation(), Marker, false, Loc,
                                       Marker->getType(), VK_LValue);
    Callee = implicitCast(Callee, Pointer, CK_FunctionToPointerDecay);
    llvm::SmallVector<Expr *, 5> Args;
    if (Value)
      Args.push_back(Value);
    Args.append({string(Text, Loc), string(Place.File, Loc), number(Place.Line, Loc), number(Place.Column, Loc)});
    return CallExpr::Create(Context, Callee, Args, T, VK_PRValue, Loc, FPOptionsOverride());
  }

  bool isMarkerCall(const Expr *E) const {
    E = E->IgnoreParens();
    if (const auto *Comma = dyn_cast<BinaryOperator>(E); Comma && Comma->getOpcode() == BO_Comma)
      E = Comma->getLHS();
    const auto *Call = dyn_cast<CallExpr>(E);
    const FunctionDecl *Callee = Call ? Call->getDirectCallee() : nullptr;
    return Callee && Callee->getIdentifier() && Callee->getName().starts_with(csp::SiteMarkerPrefix);
  }

private:
  FunctionDecl *markerOf(QualType T) {
    FunctionDecl *&Known = Markers[T];
    if (Known)
      return Known;
    QualType Text = Context.getPointerType(Context.CharTy.withConst());
    llvm::SmallVector<QualType, 5> Types;
    if (!T->isVoidType())
      Types.push_back(T);
    Types.append({Text, Text, Context.UnsignedIntTy, Context.UnsignedIntTy});
    FunctionProtoType::ExtProtoInfo Info;
    if (Context.getLangOpts().CPlusPlus)
      Info.ExceptionSpec.Type = EST_BasicNoexcept;
    std::string Name = (csp::SiteMarkerPrefix + llvm::Twine(Markers.size())).str();
    DeclContext *Unit = Context.getTranslationUnitDecl();
    Known = FunctionDecl::Create(Context, Unit, SourceLocation(), SourceLocation(), &Context.Idents.get(Name),
                                 Context.getFunctionType(T, Types, Info), nullptr, SC_Extern);
    llvm::SmallVector<ParmVarDecl *, 5> Params;
    for (QualType P : Types)
      Params.push_back(ParmVarDecl::Create(Context, Known, SourceLocation(), SourceLocation(), nullptr, P, nullptr,
                                           SC_None, nullptr));
    Known->setParams(Params);
    Known->setImplicit();
    Known->addAttr(NoThrowAttr::CreateImplicit(Context));
    Known->addAttr(AsmLabelAttr::CreateImplicit(Context, Name)); // no C++ mangling
    return Known;
  }

  Expr *implicitCast(Expr *E, QualType T, CastKind Kind) {
    return ImplicitCastExpr::Create(Context, T, Kind, E, nullptr, VK_PRValue, FPOptionsOverride());
  }

  Expr *string(llvm::StringRef Text, SourceLocation Loc) {
    QualType Array = Context.getStringLiteralArrayType(Context.CharTy, Text.size());
    Expr *Literal = StringLiteral::Create(Context, Text, StringLiteralKind::Ordinary, false, Array, Loc);
    return implicitCast(Literal, Context.getPointerType(Context.CharTy.withConst()), CK_ArrayToPointerDecay);
  }

  Expr *number(unsigned N, SourceLocation Loc) {
    llvm::APInt Value(Context.getTypeSize(Context.UnsignedIntTy), N);
    return IntegerLiteral::Create(Context, Value, Context.UnsignedIntTy, Loc);
  }

  ASTContext &Context;
  llvm::DenseMap<QualType, FunctionDecl *> Markers;
};

class SiteVisitor : public RecursiveASTVisitor<SiteVisitor> {
public:
  SiteVisitor(ASTContext &Context, MarkerFactory &Markers) : Context(Context), Markers(Markers) {}

  bool shouldVisitImplicitCode() const { return false; }

  bool TraverseFunctionDecl(FunctionDecl *F) { return isLeftAlone(F) || Base::TraverseFunctionDecl(F); }
  bool TraverseCXXMethodDecl(CXXMethodDecl *F) { return isLeftAlone(F) || Base::TraverseCXXMethodDecl(F); }
  bool TraverseCXXConstructorDecl(CXXConstructorDecl *F) {
    return isLeftAlone(F) || Base::TraverseCXXConstructorDecl(F);
  }
  bool TraverseCXXDestructorDecl(CXXDestructorDecl *F) { return isLeftAlone(F) || Base::TraverseCXXDestructorDecl(F); }
  bool TraverseCXXConversionDecl(CXXConversionDecl *F) { return isLeftAlone(F) || Base::TraverseCXXConversionDecl(F); }

  // Visited before the calls inside them, so that those know whom they initialize.
  bool VisitVarDecl(VarDecl *V) {
    noteTarget(V->getInit(), V->getName());
    return true;
  }
  bool VisitFieldDecl(FieldDecl *F) {
    noteTarget(F->getInClassInitializer(), F->getName());
    return true;
  }
  bool VisitBinaryOperator(BinaryOperator *B) {
    if (B->getOpcode() == BO_Assign)
      noteTarget(B->getRHS(), csp::textOf(B->getLHS(), Context));
    return true;
  }

  bool VisitCallExpr(CallExpr *Call) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (!Callee || !Call->getNumArgs() || Call->isTypeDependent() || Call->isValueDependent())
      return true;
    const LibraryFunction *Library = findLibraryFunction(Callee);
    if (!Library && !isAnnotated(Callee))
      return true;
    csp::SitePlace Place = csp::placeOf(Call, Context);
    Expr *Last = Call->getArg(Call->getNumArgs() - 1);
    if (!Place.IsValid || Markers.isMarkerCall(Last))
      return true;
    if (Expr *Marked = mark(Last, objectOf(Call, Callee, Library), Place))
      Call->setArg(Call->getNumArgs() - 1, Marked);
    return true;
  }

private:
  using Base = RecursiveASTVisitor<SiteVisitor>;

  bool isLeftAlone(const FunctionDecl *F) const {
    return isAnnotated(F) || F->isDependentContext() || F->isConsteval();
  }

  void noteTarget(const Expr *Init, llvm::StringRef Name) {
    if (!Init)
      return;
    Init = Init->IgnoreUnlessSpelledInSource();
    if (const auto *List = dyn_cast<InitListExpr>(Init); List && List->getNumInits() == 1)
      Init = List->getInit(0);
    if (const auto *Call = dyn_cast<CallExpr>(Init->IgnoreUnlessSpelledInSource()->IgnoreParenCasts()))
      Targets[Call] = Name.str();
  }

  std::string objectOf(const CallExpr *Call, const FunctionDecl *Callee, const LibraryFunction *Library) {
    if (!Library && Callee->getIdentifier() && Callee->getName().ends_with("_new"))
      return Targets.lookup(Call);
    unsigned Object = Library ? Library->Object : 0;
    return Object < Call->getNumArgs() ? csp::textOf(Call->getArg(Object), Context) : "";
  }

  // Null: cannot be marked.
  Expr *mark(Expr *Last, llvm::StringRef Text, const csp::SitePlace &Place) {
    QualType T = Last->getType();
    if (Last->isPRValue() && T->isScalarType())
      return Markers.call(Last, Text, Place, Last->getExprLoc());
    if (!Last->isPRValue() || !T->isRecordType() || !T.isTriviallyCopyableType(Context))
      return nullptr;
    Expr *Marker = Markers.call(nullptr, Text, Place, Last->getExprLoc());
    return BinaryOperator::Create(Context, Marker, Last, BO_Comma, T, VK_PRValue, OK_Ordinary, Last->getExprLoc(),
                                  FPOptionsOverride());
  }

  ASTContext &Context;
  MarkerFactory &Markers;
  llvm::DenseMap<const CallExpr *, std::string> Targets;
};

class SiteConsumer : public ASTConsumer {
public:
  void Initialize(ASTContext &C) override {
    Context = &C;
    Markers = std::make_unique<MarkerFactory>(C);
    csp::forgetBlockTypes();
  }

  bool HandleTopLevelDecl(DeclGroupRef Group) override {
    for (Decl *D : Group)
      visit(D);
    return true;
  }

  // Bodies of member functions defined inside their class: generated before the class is seen as a declaration.
  void HandleInlineFunctionDefinition(FunctionDecl *F) override { visit(F); }
  void HandleCXXStaticMemberVarInstantiation(VarDecl *V) override { visit(V); }

private:
  // After an error the tree may be incomplete, and no code is generated from it.
  void visit(Decl *D) {
    if (Context->getDiagnostics().hasErrorOccurred())
      return;
    csp::noteBlockTypes(D, *Context); // before the marks are set
    SiteVisitor(*Context, *Markers).TraverseDecl(D);
  }

  ASTContext *Context = nullptr;
  std::unique_ptr<MarkerFactory> Markers;
};

class SiteAction : public PluginASTAction {
  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &, llvm::StringRef) override {
    return std::make_unique<SiteConsumer>();
  }
  bool ParseArgs(const CompilerInstance &, const std::vector<std::string> &) override { return true; }
  ActionType getActionType() override { return AddBeforeMainAction; }
};

} // namespace

static FrontendPluginRegistry::Add<SiteAction> RegisterSiteAction("csp-sites", "marks call sites for cspthread");
