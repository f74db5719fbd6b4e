// CallContext.cpp - frame records: every function that calls others says where it was called from (rules C1, C2).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   entry:            rec = {prev = __csp_top, ret = return address, node = 0};  __csp_top = &rec
//   before each call: __csp_top = &rec     heals what longjmp, or an exception caught in a foreign frame, left behind
//   at each exit:     __csp_top = rec.prev
//
// The record is complete before it becomes the top, since a signal handler may look. Functions that call nothing keep
// none; their checks hand over the return address instead. An unwinding exit needs nothing: whoever catches stores its
// own record at the landing pad, and foreign catchers' callers before their next call.
//
// All accesses of the record and of the top are volatile: a callee that was declared to read no memory still looks at
// them when it is instrumented, and no later pass may take them for dead.
//
// Calls lose their tail marks (the callee sees a local of ours), so stacks are complete at -O2 too. A musttail call
// keeps its promise: the record is taken off before it, as the frame itself is.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/Instrumentation.h"

using namespace llvm;

CSP_COUNTER(NumRecords, "functions with a frame record");

namespace {

enum RecordField { Prev, Ret, Node }; // struct csp_frame of runtime/hooks.h

// Writes and links the record of one function.
class Record {
public:
  Record(csp::RuntimeAbi &Abi, Function &F) : Top(Abi.threadLocal("__csp_top")) {
    LLVMContext &C = F.getContext();
    Type *Ptr = PointerType::get(C, 0);
    Layout = StructType::get(C, {Ptr, Ptr, Type::getInt64Ty(C)});
    BasicBlock &Entry = F.getEntryBlock();
    // First of all, so that the optimizer's idea of static allocas holds.
    IRBuilder<> AtTop(&Entry, Entry.getFirstNonPHIIt());
    Storage = AtTop.CreateAlloca(Layout, nullptr, "csp.frame");
    InstrumentationIRBuilder B(&Entry, Entry.getFirstNonPHIOrDbgOrAlloca());
    storeField(B, Prev, B.CreateAlignedLoad(Ptr, Top, Align(8), /*isVolatile=*/true));
    storeField(B, Ret, B.CreateIntrinsic(Intrinsic::returnaddress, {}, {B.getInt32(0)}));
    storeField(B, Node, B.getInt64(0));
    setTop(B, Storage);
  }

  void makeCurrentBefore(Instruction *I) {
    InstrumentationIRBuilder B(I);
    setTop(B, Storage);
  }

  void popBefore(Instruction *I) {
    InstrumentationIRBuilder B(I);
    Value *Slot = B.CreateStructGEP(Layout, Storage, Prev);
    setTop(B, B.CreateAlignedLoad(B.getPtrTy(), Slot, Align(8), /*isVolatile=*/true));
  }

private:
  void storeField(IRBuilderBase &B, unsigned Field, Value *V) {
    B.CreateAlignedStore(V, B.CreateStructGEP(Layout, Storage, Field), Align(8), /*isVolatile=*/true);
  }
  void setTop(IRBuilderBase &B, Value *V) { B.CreateAlignedStore(V, Top, Align(8), /*isVolatile=*/true); }

  GlobalVariable *Top;
  StructType *Layout;
  AllocaInst *Storage;
};

// The instruction before which the record is to be taken off, if the block leaves the function.
Instruction *exitOf(BasicBlock &BB) {
  if (CallInst *Tail = BB.getTerminatingMustTailCall())
    return Tail;
  Instruction *End = BB.getTerminator();
  return isa<ReturnInst, ResumeInst, CleanupReturnInst>(End) ? End : nullptr;
}

} // namespace

namespace csp {

bool wantsContext(const CallBase &Call) {
  return !isa<IntrinsicInst>(Call) && !Call.isInlineAsm();
}

void keepFrameRecord(RuntimeAbi &Abi, Function &F, ArrayRef<CallBase *> Calls) {
  ++NumRecords;
  SmallVector<Instruction *, 8> Exits;
  SmallVector<Instruction *, 4> LandingPads;
  for (BasicBlock &BB : F) {
    if (Instruction *Exit = exitOf(BB))
      Exits.push_back(Exit);
    if (BB.isLandingPad())
      LandingPads.push_back(&*std::next(BB.getLandingPadInst()->getIterator()));
  }
  // Before the first call of the entry block the record is the top already.
  SmallPtrSet<const Instruction *, 16> IsCall(Calls.begin(), Calls.end());
  auto FirstInEntry = find_if(F.getEntryBlock(), [&](const Instruction &I) { return IsCall.contains(&I); });
  const Instruction *AlreadyCurrent = FirstInEntry == F.getEntryBlock().end() ? nullptr : &*FirstInEntry;

  Record R(Abi, F);
  for (CallBase *Call : Calls) {
    bool IsMustTail = Call->isMustTailCall();
    if (Call != AlreadyCurrent && !IsMustTail)
      R.makeCurrentBefore(Call);
    if (auto *Direct = dyn_cast<CallInst>(Call); Direct && !IsMustTail && Direct->isTailCall())
      Direct->setTailCallKind(CallInst::TCK_None);
    if (Call->hasFnAttr(Attribute::ReturnsTwice) && !Call->isTerminator())
      R.makeCurrentBefore(Call->getNextNode());
  }
  for (Instruction *Pad : LandingPads)
    R.makeCurrentBefore(Pad);
  for (Instruction *Exit : Exits)
    R.popBefore(Exit);
}

} // namespace csp
