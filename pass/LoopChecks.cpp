// LoopChecks.cpp - accesses that step through memory in a loop are checked once, outside the loop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs where loops still have scalar form, before they are vectorised, and puts in calls of markers that RacePass turns
// into calls of the detector. The accesses then join an access group of ours, which survives vectorising (rule D2);
// RacePass leaves its members out. Gaps between the elements are not checked (rule D1), nothing that the loop would not
// access is, and the vectoriser sees a loop without checks.
//
//   counted loop       for (i = 0; i < n; i++) a[i]        before it: marker(a, size, {n, stride})
//   ... in another     for (j = 0; j < m; j++) that        before both, when nothing in it depends on j, or its place
//                                                          steps with j: marker(a, size, {n, stride}, {m, stride'})
//   any other loop     while (a[i] != x) i++               after it: marker(a, size, {times it was executed, stride})
//
// Why no race is lost or made up (rule D4). The loop holds no release, no acquire, no free, and no call that might not
// return. So all its accesses are of one epoch, and what is known of other tasks does not change in it: a check gives
// the same answer anywhere between the loop's entry and its exits. Moving up asks also that every checked access will
// happen: its block is executed in each iteration, as it dominates the latch and every exiting block, and the number of
// iterations is exactly known at entry. Moving down counts what did happen, and asks that the loop ends: C's and C++'s
// promise (mustprogress). A loop that ends in a fault may be checked for accesses it did not reach, or not be checked.
//
// a[i] = f(a[i]) is checked as written only: read and write are of one epoch, both will happen, and whatever conflicts
// with a read of these bytes conflicts with a write of them.
//
// When it pays: a call looks at four words at a time where elements touch, and at one element at a time elsewhere; it
// costs some ten inline checks. So elements with gaps that are known to be few stay in the loop (nbody: 1.8 instead of
// 18 times plain). Loops that are not counted are mostly short and never vectorised: quicksort's inner loops took 1.6
// times as long with their checks behind them, so that is off unless asked for.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"

using namespace llvm;

CSP_COUNTER(NumLoopAccesses, "accesses checked outside their loop");
CSP_COUNTER(NumHoists, "checks of loops taken out of another loop");
CSP_COUNTER(NumLoopUpdates, "reads of a loop not checked: its writes of the same elements stand for them");
CSP_COUNTER(NumFew, "accesses left in their loop, as they are few");
CSP_COUNTER(NumAfterLoop, "accesses checked after their loop");

static cl::opt<bool> ClLoops("csp-loops", cl::init(true), cl::desc("Check accesses of counted loops before the loop"));
static cl::opt<bool> ClLoopUpdates("csp-loop-updates", cl::init(true),
                                   cl::desc("Check elements that a loop reads and writes as written only"));
static cl::opt<bool> ClAfterLoops("csp-after-loops", cl::init(false),
                                  cl::desc("Check accesses of loops that are not counted after the loop"));

namespace {

constexpr StringLiteral GroupName = "csp.checked";
constexpr StringLiteral ReadMarker = "__csp_loop.read", WriteMarker = "__csp_loop.write";
constexpr uint64_t LargestElement = 64;
constexpr uint64_t Few = 16; // elements with gaps

struct Dimension {
  const SCEV *Count, *Stride; // i64
  uint64_t MaxCount;

  bool operator==(const Dimension &Other) const { return Count == Other.Count && Stride == Other.Stride; }
};

// Elements of Size bytes at Base + all combinations of steps; to be checked by a marker before Place.
struct Pattern {
  const SCEV *Base;
  uint64_t Size;
  Align Alignment;
  bool IsWrite;
  Instruction *Access;
  SmallVector<Dimension, csp::LoopDimensions> Steps;
  Instruction *Place = nullptr;
};

// A call in a loop that neither orders anything nor frees memory, and comes back.
bool isQuietCall(const CallBase &Call) {
  if (csp::loopMarkerOf(Call))
    return true;
  if (const auto *I = dyn_cast<IntrinsicInst>(&Call))
    return !I->isLifetimeStartOrEnd() && I->getIntrinsicID() != Intrinsic::stackrestore && I->willReturn();
  return Call.hasFnAttr(Attribute::NoSync) && Call.hasFnAttr(Attribute::NoFree) && Call.willReturn() &&
         Call.doesNotThrow() && !Call.isInlineAsm();
}

bool isQuiet(const Loop &L) {
  for (const BasicBlock *BB : L.blocks())
    for (const Instruction &I : *BB) {
      if (I.isVolatile() || csp::isSynchronizing(I) || I.isEHPad())
        return false;
      if (const auto *Call = dyn_cast<CallBase>(&I); Call && !isQuietCall(*Call))
        return false;
    }
  return true;
}

FunctionCallee marker(Module &M, bool IsWrite) {
  LLVMContext &C = M.getContext();
  Type *I64 = Type::getInt64Ty(C);
  SmallVector<Type *, 8> Parameters{PointerType::get(C, 0), I64};
  Parameters.append(2 * csp::LoopDimensions, I64);
  AttributeList Attributes;
  for (Attribute::AttrKind Kind :
       {Attribute::NoUnwind, Attribute::WillReturn, Attribute::NoSync, Attribute::NoFree, Attribute::NoCallback})
    Attributes = Attributes.addFnAttribute(C, Kind);
  // It touches no memory of the program: what surrounds it is optimised as if it were not there.
  Attributes = Attributes.addFnAttribute(C, Attribute::getWithMemoryEffects(C, MemoryEffects::inaccessibleMemOnly()));
  Attributes = Attributes.addParamAttribute(C, 0, Attribute::getWithCaptureInfo(C, CaptureInfo::none()));
  return M.getOrInsertFunction(IsWrite ? WriteMarker : ReadMarker,
                               FunctionType::get(Type::getVoidTy(C), Parameters, false), Attributes);
}

MDNode *checkedGroup(Module &M) {
  NamedMDNode *Named = M.getOrInsertNamedMetadata(GroupName);
  if (!Named->getNumOperands())
    Named->addOperand(MDNode::getDistinct(M.getContext(), {}));
  return Named->getOperand(0);
}

class FunctionLoops {
public:
  FunctionLoops(Function &F, LoopInfo &LI, ScalarEvolution &SE, DominatorTree &DT)
      : F(F), LI(LI), SE(SE), DT(DT), I64(Type::getInt64Ty(F.getContext())), Expander(SE, "csp") {}

  bool run() {
    SmallVector<Loop *, 4> Loops = LI.getLoopsInPreorder();
    for (Loop *L : reverse(Loops)) // inner loops first
      visit(*L);
    for (const Pattern &P : Patterns) {
      if (isFew(P)) {
        ++NumFew;
        continue;
      }
      if (isWrittenToo(P))
        ++NumLoopUpdates;
      else
        emit(P);
      markChecked(*P.Access);
      ++NumLoopAccesses;
    }
    return Changed;
  }

private:
  void visit(Loop &L) {
    if (!L.getLoopPreheader() || !L.getLoopLatch() || !L.hasDedicatedExits() || !isQuiet(L))
      return;
    const SCEV *Taken = SE.getBackedgeTakenCount(&L);
    if (isa<SCEVCouldNotCompute>(Taken)) {
      if (ClAfterLoops && L.isInnermost())
        checkAfter(L);
      return;
    }
    if (!ClLoops)
      return;
    SmallVector<BasicBlock *, 4> Exiting;
    L.getExitingBlocks(Exiting);
    auto IsInEveryIteration = [&](BasicBlock *BB) {
      return DT.dominates(BB, L.getLoopLatch()) && all_of(Exiting, [&](BasicBlock *E) { return DT.dominates(BB, E); });
    };
    const SCEV *Count = SE.getAddExpr(SE.getNoopOrZeroExtend(Taken, I64), SE.getOne(I64));
    for (Pattern &P : Patterns)
      if (P.Place && L.contains(P.Place) && IsInEveryIteration(P.Place->getParent()) && moveOut(P, L, Count))
        ++NumHoists;
    for (BasicBlock *BB : L.blocks())
      if (LI.getLoopFor(BB) == &L && IsInEveryIteration(BB))
        for (Instruction &I : *BB)
          collect(I, L, Count);
  }

  // The pattern of I alone, in one iteration; false: not one we handle.
  bool patternOf(Instruction &I, Pattern &P) {
    Value *Address = getLoadStorePointerOperand(&I);
    if (!Address || I.isAtomic() || I.hasMetadata(LLVMContext::MD_nosanitize) || csp::isCheckedByLoop(I) ||
        Address->getType()->getPointerAddressSpace() != 0 || isa<AllocaInst>(getUnderlyingObject(Address)))
      return false;
    TypeSize Size = F.getDataLayout().getTypeStoreSize(getLoadStoreType(&I));
    if (Size.isScalable() || Size == 0 || Size > LargestElement)
      return false;
    P = {SE.getSCEV(Address), Size, getLoadStoreAlignment(&I), isa<StoreInst>(I), &I, {}};
    return true;
  }

  void collect(Instruction &I, Loop &L, const SCEV *Count) {
    Pattern P;
    if (!patternOf(I, P) || !moveOut(P, L, Count))
      return;
    Patterns.push_back(std::move(P));
  }

  // Few elements that do not touch.
  bool isFew(const Pattern &P) {
    uint64_t Elements = 1;
    bool HasGaps = !P.Steps.empty();
    for (const Dimension &D : P.Steps) {
      const auto *Stride = dyn_cast<SCEVConstant>(D.Stride);
      HasGaps &= !Stride || Stride->getAPInt().abs().ugt(P.Size);
      if (D.MaxCount > Few || (Elements *= D.MaxCount) > Few)
        return false;
    }
    return HasGaps;
  }

  // Whether the same elements are written, which is checked at the same place.
  bool isWrittenToo(const Pattern &P) const {
    return ClLoopUpdates && !P.IsWrite && any_of(Patterns, [&](const Pattern &Write) {
             return Write.IsWrite && Write.Place == P.Place && Write.Base == P.Base && Write.Size == P.Size &&
                    Write.Steps == P.Steps;
           });
  }

  // Makes P, executed in each of L's iterations, a pattern before L.
  bool moveOut(Pattern &P, Loop &L, const SCEV *Count) {
    Instruction *Place = L.getLoopPreheader()->getTerminator();
    auto CanStand = [&](const SCEV *S) { return SE.isLoopInvariant(S, &L) && Expander.isSafeToExpandAt(S, Place); };
    if (!CanStand(Count) ||
        any_of(P.Steps, [&](const Dimension &D) { return !CanStand(D.Count) || !CanStand(D.Stride); }))
      return false;
    if (CanStand(P.Base)) {
      P.Place = Place;
      return true;
    }
    const auto *Steps = dyn_cast<SCEVAddRecExpr>(P.Base);
    if (!Steps || Steps->getLoop() != &L || !Steps->isAffine() || P.Steps.size() == csp::LoopDimensions)
      return false;
    const SCEV *Stride = Steps->getStepRecurrence(SE);
    if (!CanStand(Steps->getStart()) || !CanStand(Stride))
      return false;
    P.Base = Steps->getStart();
    P.Steps.push_back({Count, SE.getNoopOrSignExtend(Stride, I64), SE.getUnsignedRangeMax(Count).getLimitedValue()});
    P.Place = Place;
    return true;
  }

  // --- loops whose iterations are not known at entry: counted, and checked at their exits ---------------------------
  void checkAfter(Loop &L) {
    SmallVector<BasicBlock *, 4> Exits;
    L.getUniqueExitBlocks(Exits);
    if (Exits.empty() || !isMustProgress(&L) || any_of(Exits, [](BasicBlock *X) { return X->isEHPad(); }))
      return;
    for (BasicBlock *BB : L.blocks())
      if (isOrderedBeforeOrAfterExits(*BB, L))
        for (Instruction &I : *BB)
          collectAfter(I, L, Exits);
    Iterations = nullptr;
  }

  // Executed in each iteration that goes on, and in the last one exactly when it dominates the block that is left.
  bool isOrderedBeforeOrAfterExits(BasicBlock &BB, Loop &L) {
    SmallVector<BasicBlock *, 4> Exiting;
    L.getExitingBlocks(Exiting);
    return DT.dominates(&BB, L.getLoopLatch()) &&
           all_of(Exiting, [&](BasicBlock *E) { return DT.dominates(&BB, E) || DT.dominates(E, &BB); });
  }

  void collectAfter(Instruction &I, Loop &L, ArrayRef<BasicBlock *> Exits) {
    Pattern P;
    if (!patternOf(I, P))
      return;
    Instruction *Before = L.getLoopPreheader()->getTerminator();
    const auto *Steps = dyn_cast<SCEVAddRecExpr>(P.Base);
    if (!Steps || Steps->getLoop() != &L || !Steps->isAffine() ||
        !Expander.isSafeToExpandAt(Steps->getStart(), Before) ||
        !Expander.isSafeToExpandAt(Steps->getStepRecurrence(SE), Before))
      return;
    if (!Iterations)
      countIterations(L);
    Value *Base = Expander.expandCodeFor(Steps->getStart(), nullptr, Before->getIterator());
    const SCEV *Step = SE.getNoopOrSignExtend(Steps->getStepRecurrence(SE), I64);
    Value *Stride = Expander.expandCodeFor(Step, I64, Before->getIterator());
    for (BasicBlock *Exit : Exits) {
      PHINode *Count = PHINode::Create(I64, 0, "csp.executed", Exit->begin());
      for (BasicBlock *From : predecessors(Exit))
        Count->addIncoming(DT.dominates(I.getParent(), From) ? IterationsNext : Iterations, From);
      IRBuilder<> B(&*Exit->getFirstInsertionPt());
      call(B, P, Base, {{Count, Stride}});
    }
    markChecked(I);
    ++NumAfterLoop;
  }

  void countIterations(Loop &L) {
    BasicBlock *Header = L.getHeader();
    PHINode *Phi = PHINode::Create(I64, 2, "csp.iterations", Header->begin());
    IRBuilder<> B(&*Header->getFirstInsertionPt());
    IterationsNext = B.CreateAdd(Phi, B.getInt64(1), "csp.next");
    for (BasicBlock *From : predecessors(Header))
      Phi->addIncoming(L.contains(From) ? IterationsNext : B.getInt64(0), From);
    Iterations = Phi;
  }

  // --- putting them in ----------------------------------------------------------------------------------------------
  void markChecked(Instruction &I) {
    MDNode *Group = checkedGroup(*F.getParent());
    I.setMetadata(LLVMContext::MD_access_group, uniteAccessGroups(I.getMetadata(LLVMContext::MD_access_group), Group));
    Changed = true;
  }

  void emit(const Pattern &P) {
    auto Expand = [&](const SCEV *S) { return Expander.expandCodeFor(S, nullptr, P.Place->getIterator()); };
    Value *Base = Expand(P.Base);
    SmallVector<std::pair<Value *, Value *>, csp::LoopDimensions> Steps;
    for (const Dimension &D : P.Steps)
      Steps.push_back({Expand(D.Count), Expand(D.Stride)});
    IRBuilder<> B(P.Place);
    call(B, P, Base, Steps);
  }

  void call(IRBuilder<> &B, const Pattern &P, Value *Base, ArrayRef<std::pair<Value *, Value *>> Steps) {
    if (Base->getType()->isIntegerTy())
      Base = B.CreateIntToPtr(Base, B.getPtrTy());
    SmallVector<Value *, 8> Args{Base, B.getInt64(P.Size)};
    for (auto [Count, Stride] : Steps)
      Args.append({Count, Stride});
    while (Args.size() < 2 + 2 * csp::LoopDimensions)
      Args.append({B.getInt64(1), B.getInt64(0)});
    CallInst *Call = B.CreateCall(marker(*F.getParent(), P.IsWrite), Args);
    Call->addFnAttr(Attribute::NoMerge);
    Call->addParamAttr(0, Attribute::getWithAlignment(F.getContext(), P.Alignment));
    if (DebugLoc Line = P.Access->getDebugLoc())
      Call->setDebugLoc(Line);
    else if (DISubprogram *Where = F.getSubprogram())
      Call->setDebugLoc(DILocation::get(F.getContext(), 0, 0, Where));
    Changed = true;
  }

  Function &F;
  LoopInfo &LI;
  ScalarEvolution &SE;
  DominatorTree &DT;
  Type *I64;
  SCEVExpander Expander;
  SmallVector<Pattern, 8> Patterns;
  Value *Iterations = nullptr, *IterationsNext = nullptr; // of the loop that checkAfter works on
  bool Changed = false;
};

} // namespace

namespace csp {

std::optional<LoopMarker> loopMarkerOf(const CallBase &Call) {
  const Function *Callee = Call.getCalledFunction();
  if (!Callee || (Callee->getName() != ReadMarker && Callee->getName() != WriteMarker))
    return std::nullopt;
  bool IsOne = true;
  for (unsigned I = 0; I < LoopDimensions; ++I)
    IsOne &= match(Call.getArgOperand(2 + 2 * I), PatternMatch::m_One());
  return LoopMarker{Callee->getName() == WriteMarker, IsOne, cast<ConstantInt>(Call.getArgOperand(1))->getZExtValue(),
                    Call.getParamAlign(0).valueOrOne()};
}

bool isCheckedByLoop(const Instruction &I) {
  const MDNode *Groups = I.getMetadata(LLVMContext::MD_access_group);
  const NamedMDNode *Named = Groups ? I.getModule()->getNamedMetadata(GroupName) : nullptr;
  if (!Named)
    return false;
  const MDNode *Ours = Named->getOperand(0);
  return Groups == Ours || is_contained(Groups->operands(), Ours);
}

PreservedAnalyses LoopChecksPass::run(Function &F, FunctionAnalysisManager &FAM) {
  if (!F.hasFnAttribute(Attribute::SanitizeThread) || F.hasFnAttribute(Attribute::DisableSanitizerInstrumentation) ||
      F.hasFnAttribute(Attribute::Naked))
    return PreservedAnalyses::all();
  LoopInfo &LI = FAM.getResult<LoopAnalysis>(F);
  if (LI.empty())
    return PreservedAnalyses::all();
  if (!FunctionLoops(F, LI, FAM.getResult<ScalarEvolutionAnalysis>(F), FAM.getResult<DominatorTreeAnalysis>(F)).run())
    return PreservedAnalyses::all();
  PreservedAnalyses Kept;
  Kept.preserveSet<CFGAnalyses>();
  Kept.preserve<ScalarEvolutionAnalysis>();
  return Kept;
}

} // namespace csp
