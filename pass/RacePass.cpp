// RacePass.cpp - instruments a module: which functions, what in them, in which order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs at the end of the optimizer (also at -O0), before Clang's own sanitizers: the fewest accesses are left then, and
// vector code is seen as it will run. The driver asks cc1 for -fsanitize=thread, so `sanitize_thread` says which
// functions are to be checked, and loads were not speculated. Clang's thread sanitizer is then told to keep away from
// every function (disable_sanitizer_instrumentation), so that each access is instrumented once, by us.
//
//   function                                  accesses   atomics   frame record
//   with sanitize_thread                      yes        yes       yes
//   no_sanitize("thread")                     no         yes       yes     (they may be its synchronization)
//   disable_sanitizer_instrumentation, naked, ifunc resolvers: left wholly alone
//
// With link-time optimization modules are instrumented before the link. Inlining such a function afterwards would give
// its frame record (and its leaf checks) the return address of another function, so it is marked noinline then.
#include "RacePass.h"
#include "Counter.h"
#include "layout.h"

#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/GlobalIFunc.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Utils/Instrumentation.h"
#include "llvm/Transforms/Utils/Local.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;
using csp::Access;
using csp::RuntimeAbi;

CSP_COUNTER(NumFunctions, "functions instrumented");
CSP_COUNTER(NumReads, "reads checked");
CSP_COUNTER(NumWrites, "writes checked");
CSP_COUNTER(NumReadsBeforeWrites, "reads not checked: a write of the block stands for them");
CSP_COUNTER(NumMemoryCalls, "memory intrinsics replaced by calls");
CSP_COUNTER(NumUnseenIntrinsics, "intrinsics whose memory accesses are not checked");

static cl::opt<bool> ClReadsBeforeWrites("csp-reads-before-writes", cl::init(true),
                                         cl::desc("Let a write's check stand for the reads before it"));

namespace {

constexpr StringLiteral ModuleFlag = "csp.instrumented";
constexpr StringLiteral ConstructorName = "csp.module_ctor";

// Constant-size copies and fills up to here never become library calls (the interceptors would check them again), so
// the intrinsic stays and only its checks are added.
constexpr uint64_t InlineCopyLimit = 32;

class FunctionInstrumenter {
public:
  FunctionInstrumenter(RuntimeAbi &Abi, Function &F, const TargetLibraryInfo &TLI, const csp::QuietFunctions &Quiet)
      : Abi(Abi), F(F), TLI(TLI), DL(F.getDataLayout()), ChecksAccesses(F.hasFnAttribute(Attribute::SanitizeThread)),
        Filter(Quiet) {}

  bool run() {
    collect();
    for (MemIntrinsic *M : Copies)
      replaceCopy(*M);
    for (Instruction *I : Atomics)
      csp::replaceAtomic(Abi, *I, Calls);
    for (CallBase *Call : CxxCalls)
      csp::tellCxxRuntimeCall(Abi, *Call, Calls);
    if (!Calls.empty())
      csp::keepFrameRecord(Abi, F, Calls);
    erase_if(Accesses, [](const Access &A) { return !A.Bytes; });
    for (const csp::AccessGroup &Group : csp::groupAccesses(Accesses, DL))
      csp::insertCheck(Abi, Group, !Calls.empty());
    for (CallBase *Marker : LoopChecks)
      csp::checkLoop(Abi, *Marker, !Calls.empty());
    for (CallBase *Marker : LoopMarkers)
      Marker->eraseFromParent();
    return !Calls.empty() || !Accesses.empty() || !LoopChecks.empty();
  }

private:
  // --- collect -----------------------------------------------------------------------------------------------------
  void collect() {
    for (BasicBlock *BB : ReversePostOrderTraversal<Function *>(&F)) {
      Filter.startBlock(*BB);
      ReadsOfBlock.clear();
      ++Span;
      for (Instruction &I : *BB) {
        collect(I);
        Span += csp::endsSpan(I);
        if (Filter.leaves(I) || mayOrderOrNotReturn(I))
          ReadsOfBlock.clear();
      }
      Filter.endBlock(*BB);
    }
  }

  void collect(Instruction &I) {
    if (csp::isSynchronizing(I)) {
      Atomics.push_back(&I);
    } else if (auto *Call = dyn_cast<CallBase>(&I)) {
      collectCall(*Call);
    } else if (ChecksAccesses && !csp::isCheckedByLoop(I)) {
      collectPlain(I);
    }
  }

  void collectPlain(Instruction &I) {
    if (auto *Load = dyn_cast<LoadInst>(&I)) {
      SmallVector<Access, 8> Narrowed;
      if (csp::collectDemandedLanes(*Load, Narrowed))
        return addAll(Narrowed);
      add({&I, Load->getPointerOperand(), storeSize(Load->getType()), Load->getAlign(), false});
    } else if (auto *Store = dyn_cast<StoreInst>(&I)) {
      add({&I, Store->getPointerOperand(), storeSize(Store->getValueOperand()->getType()), Store->getAlign(), true});
    } else if (auto *Modify = dyn_cast<AtomicRMWInst>(&I)) { // scope "singlethread"
      add({&I, Modify->getPointerOperand(), storeSize(Modify->getType()), Modify->getAlign(), true});
    } else if (auto *Exchange = dyn_cast<AtomicCmpXchgInst>(&I)) {
      Type *T = Exchange->getNewValOperand()->getType();
      add({&I, Exchange->getPointerOperand(), storeSize(T), Exchange->getAlign(), true});
    }
  }

  // What the filter spares needs no check in a loop either; a place that stays the same is one access.
  void collectLoopMarker(CallBase &Call, const csp::LoopMarker &Marker) {
    Access First{&Call, Call.getArgOperand(0), Marker.Bytes, Marker.Alignment, Marker.IsWrite};
    LoopMarkers.push_back(&Call);
    if (Marker.IsOne)
      add(First);
    else if (!Filter.cannotRace(First))
      LoopChecks.push_back(&Call);
  }

  void collectCall(CallBase &Call) {
    if (std::optional<csp::LoopMarker> Marker = csp::loopMarkerOf(Call))
      return collectLoopMarker(Call, *Marker);
    if (csp::wantsContext(Call))
      Calls.push_back(&Call);
    if (csp::isCxxRuntimeCall(Call))
      CxxCalls.push_back(&Call);
    if (!ChecksAccesses)
      return;
    if (auto *Intrinsic = dyn_cast<IntrinsicInst>(&Call))
      return collectIntrinsic(*Intrinsic);
    // The caller copies by-value aggregates: a read.
    for (unsigned I = 0; I < Call.arg_size(); ++I)
      if (Type *T = Call.getParamByValType(I))
        add({&Call, Call.getArgOperand(I), storeSize(T), Call.getParamAlign(I).valueOrOne(), false});
    if (auto *Direct = dyn_cast<CallInst>(&Call))
      maybeMarkSanitizerLibraryCallNoBuiltin(Direct, &TLI); // rule D3: the interceptors are to see it
  }

  void collectIntrinsic(IntrinsicInst &I) {
    SmallVector<Access, 8> Masked;
    if (csp::collectMaskedAccesses(I, Masked))
      return addAll(Masked);
    if (auto *Copy = dyn_cast<MemIntrinsic>(&I))
      return collectCopy(*Copy);
    bool TakesPointer = any_of(I.args(), [](const Use &U) { return U->getType()->isPtrOrPtrVectorTy(); });
    if (TakesPointer && I.mayReadOrWriteMemory() && !I.isAssumeLikeIntrinsic() && !I.onlyAccessesInaccessibleMemory())
      ++NumUnseenIntrinsics;
  }

  // Small copies of known size stay and get inline checks; the others become calls that check and copy. Copies between
  // locals that do not escape, or from constants into such, stay as they are.
  void collectCopy(MemIntrinsic &M) {
    auto *Length = dyn_cast<ConstantInt>(M.getLength());
    bool IsInline = M.getIntrinsicID() == Intrinsic::memcpy_inline || M.getIntrinsicID() == Intrinsic::memset_inline;
    bool Stays = Length && (IsInline || Length->getZExtValue() <= InlineCopyLimit);
    uint64_t Bytes = Length ? Length->getZExtValue() : 0;
    if (Length && !Bytes)
      return;
    SmallVector<Access, 2> Sides;
    if (auto *Transfer = dyn_cast<MemTransferInst>(&M))
      Sides.push_back({&M, Transfer->getRawSource(), Bytes, Transfer->getSourceAlign().valueOrOne(), false});
    Sides.push_back({&M, M.getRawDest(), Bytes, M.getDestAlign().valueOrOne(), true});
    erase_if(Sides, [&](const Access &A) { return Length ? Filter.needsNoCheck(A) : Filter.cannotRace(A); });
    if (Sides.empty())
      return;
    if (!Stays)
      return Copies.push_back(&M);
    for (const Access &A : Sides)
      addChecked(A);
  }

  void add(const Access &A) {
    if (A.Bytes && !Filter.needsNoCheck(A))
      addChecked(A);
  }

  // No check may move down across it.
  static bool mayOrderOrNotReturn(const Instruction &I) {
    const auto *Call = dyn_cast<CallBase>(&I);
    return Call ? !isa<IntrinsicInst>(Call) && !csp::loopMarkerOf(*Call) : csp::isSynchronizing(I);
  }

  // A write stands for the reads of the same bytes before it, when nothing between orders or may not return.
  void dropReadsBefore(const Access &Write) {
    auto Found = ReadsOfBlock.find(Write.Addr);
    if (Found == ReadsOfBlock.end() || Accesses[Found->second].Bytes > Write.Bytes)
      return;
    Accesses[Found->second].Bytes = 0;
    ReadsOfBlock.erase(Found);
    ++NumReadsBeforeWrites;
  }

  void addChecked(const Access &A) {
    if (ClReadsBeforeWrites && !A.Condition) {
      if (A.IsWrite)
        dropReadsBefore(A);
      else if (isa<LoadInst>(A.At) && !A.At->isVolatile())
        ReadsOfBlock[A.Addr] = Accesses.size();
    }
    A.IsWrite ? ++NumWrites : ++NumReads;
    Accesses.push_back(A);
    Accesses.back().Span = Span;
  }

  void addAll(ArrayRef<Access> All) {
    for (const Access &A : All)
      add(A);
  }

  uint64_t storeSize(Type *T) const { return DL.getTypeStoreSize(T).getKnownMinValue(); }

  // --- insert -----------------------------------------------------------------------------------------------------
  void replaceCopy(MemIntrinsic &M) {
    ++NumMemoryCalls;
    InstrumentationIRBuilder B(&M);
    Value *Length = B.CreateZExtOrTrunc(M.getLength(), B.getInt64Ty());
    Value *Second;
    StringRef Entry;
    if (auto *Set = dyn_cast<MemSetInst>(&M)) {
      Entry = "__csp_memset";
      Second = B.CreateZExt(Set->getValue(), B.getInt32Ty());
    } else {
      Entry = isa<MemMoveInst>(M) ? "__csp_memmove" : "__csp_memcpy";
      Second = cast<MemTransferInst>(M).getRawSource();
    }
    Calls.push_back(Abi.call(B, Abi.function(Entry), {M.getRawDest(), Second, Length}));
    M.eraseFromParent();
  }

  RuntimeAbi &Abi;
  Function &F;
  const TargetLibraryInfo &TLI;
  const DataLayout &DL;
  const bool ChecksAccesses;
  csp::AccessFilter Filter;
  SmallVector<Access, 32> Accesses;                     // Bytes 0: a later one stands for it
  SmallDenseMap<const Value *, size_t, 8> ReadsOfBlock; // in Accesses, since what no check may cross
  unsigned Span = 0;
  SmallVector<Instruction *, 8> Atomics;
  SmallVector<MemIntrinsic *, 8> Copies;
  SmallVector<CallBase *, 16> Calls;
  SmallVector<CallBase *, 2> CxxCalls;
  SmallVector<CallBase *, 4> LoopMarkers, LoopChecks; // all of them, those that become calls
};

// An instrumented function touches shadow, thread-locals and, in its callees, much else: what was deduced from its
// source no longer holds.
void forgetPurity(Function &F) {
  F.removeFnAttr(Attribute::Memory);
  F.removeFnAttr(Attribute::NoSync);
  F.removeFnAttr(Attribute::Speculatable);
  for (User *U : F.users()) {
    auto *Call = dyn_cast<CallBase>(U);
    if (!Call || Call->getCalledOperand() != &F)
      continue;
    Call->removeFnAttr(Attribute::Memory);
    Call->removeFnAttr(Attribute::NoSync);
  }
}

bool isLeftAlone(const Function &F) {
  return F.isDeclaration() || F.hasAvailableExternallyLinkage() || F.hasFnAttribute(Attribute::Naked) ||
         F.hasFnAttribute(Attribute::DisableSanitizerInstrumentation) || F.getCallingConv() == CallingConv::X86_INTR;
}

void addConstructor(RuntimeAbi &Abi, Module &M) {
  LLVMContext &C = M.getContext();
  Function *Constructor = Function::createWithDefaultAttr(FunctionType::get(Type::getVoidTy(C), false),
                                                          GlobalValue::InternalLinkage, 0, ConstructorName, &M);
  Constructor->addFnAttr(Attribute::NoUnwind);
  Constructor->addFnAttr(Attribute::DisableSanitizerInstrumentation);
  IRBuilder<> B(BasicBlock::Create(C, "", Constructor));
  Abi.call(B, Abi.function("__csp_module_init"), {B.getInt32(CSPR_ABI_VERSION)});
  B.CreateRetVoid();
  appendToGlobalCtors(M, Constructor, /*Priority=*/0);
}

} // namespace

namespace csp {

PreservedAnalyses RacePass::run(Module &M, ModuleAnalysisManager &MAM) {
  if (M.getModuleFlag(ModuleFlag))
    return PreservedAnalyses::all();
  if (any_of(M, isSiteMarker))
    report_fatal_error("cspthread: a site marker was left; -fplugin= needs -fpass-plugin= with the same library");

  SmallPtrSet<const Function *, 4> Resolvers;
  for (const GlobalIFunc &IFunc : M.ifuncs())
    Resolvers.insert(IFunc.getResolverFunction());

  auto &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  RuntimeAbi Abi(M);
  const QuietFunctions Quiet = findQuietFunctions(M);
  bool Changed = false;
  for (Function &F : make_early_inc_range(M)) {
    if (isLeftAlone(F) || Resolvers.contains(&F))
      continue;
    if (FunctionInstrumenter(Abi, F, FAM.getResult<TargetLibraryAnalysis>(F), Quiet).run()) {
      ++NumFunctions;
      Changed = true;
      forgetPurity(F);
      if (BeforeLink && !F.hasFnAttribute(Attribute::AlwaysInline))
        F.addFnAttr(Attribute::NoInline);
    }
    F.addFnAttr(Attribute::DisableSanitizerInstrumentation);
  }
  if (Changed)
    addConstructor(Abi, M);
  M.addModuleFlag(Module::Max, ModuleFlag, 1);
  Counter::print(M.getSourceFileName().c_str());
  return PreservedAnalyses::none();
}

} // namespace csp
