// Atomics.cpp - atomic operations and fences become calls: operation, check and clock transfer are one step there.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point numbers and pointers travel as integers of their size. Read-modify-write operations that rtl has no
// entry for become a compare-and-swap loop, so that each of its attempts is an atomic access of its own, as it is in
// hardware. Operations of scope "singlethread" order nothing between threads: plain accesses, for us.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/Twine.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Instrumentation.h"
#include "llvm/Transforms/Utils/LowerAtomic.h"

using namespace llvm;

CSP_COUNTER(NumAtomics, "atomic operations replaced");
CSP_COUNTER(NumFences, "fences replaced");

namespace {

// C11's memory_order values. LLVM's weakest atomic order is not in C; nothing in it orders anything.
unsigned orderValue(AtomicOrdering O) {
  switch (O) {
  case AtomicOrdering::NotAtomic:
  case AtomicOrdering::Unordered:
  case AtomicOrdering::Monotonic:
    return __ATOMIC_RELAXED;
  case AtomicOrdering::Acquire:
    return __ATOMIC_ACQUIRE;
  case AtomicOrdering::Release:
    return __ATOMIC_RELEASE;
  case AtomicOrdering::AcquireRelease:
    return __ATOMIC_ACQ_REL;
  case AtomicOrdering::SequentiallyConsistent:
    return __ATOMIC_SEQ_CST;
  }
  llvm_unreachable("unknown atomic ordering");
}

// The entry that does Op directly; empty: none does.
StringRef entryOf(AtomicRMWInst::BinOp Op) {
  switch (Op) {
  case AtomicRMWInst::Xchg:
    return "exchange";
  case AtomicRMWInst::Add:
    return "fetch_add";
  case AtomicRMWInst::Sub:
    return "fetch_sub";
  case AtomicRMWInst::And:
    return "fetch_and";
  case AtomicRMWInst::Or:
    return "fetch_or";
  case AtomicRMWInst::Xor:
    return "fetch_xor";
  case AtomicRMWInst::Nand:
    return "fetch_nand";
  default:
    return "";
  }
}

class AtomicRewriter {
public:
  AtomicRewriter(csp::RuntimeAbi &Abi, Instruction &I, SmallVectorImpl<CallBase *> &Calls)
      : Abi(Abi), I(I), DL(I.getDataLayout()), B(&I), Calls(Calls) {}

  void load(LoadInst &L) {
    Value *Seen = call(L.getType(), "load", {L.getPointerOperand(), order(L.getOrdering())});
    finish(fromInteger(Seen, L.getType()));
  }

  void store(StoreInst &S) {
    Value *New = S.getValueOperand();
    call(New->getType(), "store", {S.getPointerOperand(), toInteger(New), order(S.getOrdering())});
    finish(nullptr);
  }

  void modify(AtomicRMWInst &M) {
    Value *Operand = M.getValOperand();
    StringRef Entry = entryOf(M.getOperation());
    if (Entry.empty())
      return finish(modifyInLoop(M));
    Value *Old = call(M.getType(), Entry, {M.getPointerOperand(), toInteger(Operand), order(M.getOrdering())});
    finish(fromInteger(Old, M.getType()));
  }

  void compareExchange(AtomicCmpXchgInst &X) {
    Type *T = X.getCompareOperand()->getType();
    Value *Expected = toInteger(X.getCompareOperand());
    Value *Seen = compareAndSwap(X.getPointerOperand(), T, Expected, toInteger(X.getNewValOperand()),
                                 X.getSuccessOrdering(), X.getFailureOrdering());
    Value *Result = PoisonValue::get(X.getType());
    Value *Succeeded = B.CreateICmpEQ(Seen, Expected);
    Result = B.CreateInsertValue(Result, fromInteger(Seen, T), 0);
    finish(B.CreateInsertValue(Result, Succeeded, 1));
  }

  void fence(FenceInst &F) {
    bool IsLocal = F.getSyncScopeID() == SyncScope::SingleThread;
    FunctionCallee Entry = Abi.function(IsLocal ? "__csp_signal_fence" : "__csp_fence");
    Calls.push_back(Abi.call(B, Entry, {order(F.getOrdering())}));
    finish(nullptr);
  }

private:
  uint64_t bits(Type *T) const { return DL.getTypeStoreSizeInBits(T).getFixedValue(); }
  Value *order(AtomicOrdering O) { return B.getInt32(orderValue(O)); }
  Value *toInteger(Value *V) { return B.CreateBitOrPointerCast(V, B.getIntNTy(bits(V->getType()))); }
  Value *fromInteger(Value *V, Type *T) { return B.CreateBitOrPointerCast(V, T); }

  Value *call(Type *T, StringRef Operation, ArrayRef<Value *> Args) {
    std::string Name = ("__csp_atomic" + Twine(bits(T)) + "_" + Operation).str();
    CallInst *Call = Abi.call(B, Abi.function(Name), Args);
    Calls.push_back(Call);
    return Call;
  }

  Value *compareAndSwap(Value *Addr, Type *T, Value *Expected, Value *New, AtomicOrdering Success,
                        AtomicOrdering Failure) {
    return call(T, "cas", {Addr, Expected, New, order(Success), order(Failure)});
  }

  // old = *p; do { seen = cas(p, old, op(old)); } while (seen != old && (old = seen, true));
  Value *modifyInLoop(AtomicRMWInst &M) {
    Type *T = M.getType();
    Value *Addr = M.getPointerOperand();
    Value *Initial = call(T, "load", {Addr, order(AtomicOrdering::Monotonic)});
    BasicBlock *Start = I.getParent();
    BasicBlock *End = SplitBlock(Start, &I);
    BasicBlock *Loop = BasicBlock::Create(I.getContext(), "csp.rmw", I.getFunction(), End);
    Start->getTerminator()->setSuccessor(0, Loop);
    B.SetInsertPoint(Loop);
    B.SetCurrentDebugLocation(I.getDebugLoc());
    PHINode *Old = B.CreatePHI(Initial->getType(), 2);
    Value *New = toInteger(buildAtomicRMWValue(M.getOperation(), B, fromInteger(Old, T), M.getValOperand()));
    AtomicOrdering Failure = AtomicCmpXchgInst::getStrongestFailureOrdering(M.getOrdering());
    Value *Seen = compareAndSwap(Addr, T, Old, New, M.getOrdering(), Failure);
    B.CreateCondBr(B.CreateICmpEQ(Seen, Old), End, Loop);
    Old->addIncoming(Initial, Start);
    Old->addIncoming(Seen, Loop);
    B.SetInsertPoint(&I);
    return fromInteger(Seen, T);
  }

  void finish(Value *Result) {
    if (Result)
      I.replaceAllUsesWith(Result);
    I.eraseFromParent();
  }

  csp::RuntimeAbi &Abi;
  Instruction &I;
  const DataLayout &DL;
  InstrumentationIRBuilder B;
  SmallVectorImpl<CallBase *> &Calls;
};

} // namespace

namespace csp {

bool isSynchronizing(const Instruction &I) {
  if (isa<FenceInst>(I))
    return true;
  return I.isAtomic() && getAtomicSyncScopeID(&I) != std::optional<SyncScope::ID>(SyncScope::SingleThread);
}

void replaceAtomic(RuntimeAbi &Abi, Instruction &I, SmallVectorImpl<CallBase *> &Calls) {
  isa<FenceInst>(I) ? ++NumFences : ++NumAtomics;
  AtomicRewriter Rewriter(Abi, I, Calls);
  if (auto *L = dyn_cast<LoadInst>(&I))
    Rewriter.load(*L);
  else if (auto *S = dyn_cast<StoreInst>(&I))
    Rewriter.store(*S);
  else if (auto *M = dyn_cast<AtomicRMWInst>(&I))
    Rewriter.modify(*M);
  else if (auto *X = dyn_cast<AtomicCmpXchgInst>(&I))
    Rewriter.compareExchange(*X);
  else
    Rewriter.fence(cast<FenceInst>(I));
}

} // namespace csp
