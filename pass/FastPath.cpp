// FastPath.cpp - the inline check: compares one shadow cell with the running task's epoch and calls out when they differ.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   cell    = *(BASE + ((addr & MASK) << 1) + (write ? 8 : 0))        unordered atomic: another thread may replace it
//   missing = (cell ^ __csp_current) >> STACK_BITS                     epoch difference above, bytes not recorded below
//   if (missing & (epoch bits | bytes of this access)) entry(addr, leaf_ret)
//
// `current` has all mask bits set, so a mask bit is "missing" exactly where the cell lacks it. The shift makes the constant
// an 8-bit mask and a sign-extended -256: no 64-bit immediates. An access that may leave its 8-byte word also calls when
// it does (rule A6), since its cell says nothing about the next word. Skipping is exact because every release, and only
// a release, ends the epoch (rules A9, A10).
//
// The TLS word is read once per check, as the direct operand of a load (rule D6).
#include "RacePass.h"
#include "layout.h"

#include "llvm/ADT/Statistic.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Instrumentation.h"

#define DEBUG_TYPE "cspthread"

using namespace llvm;

STATISTIC(NumInlineChecks, "accesses checked inline");
STATISTIC(NumWideChecks, "accesses of 16, 32 or 64 bytes checked by a call");
STATISTIC(NumRangeChecks, "accesses of other sizes checked as a range");

namespace {

void setNoSanitize(Instruction *I) {
  I->setMetadata(LLVMContext::MD_nosanitize, MDNode::get(I->getContext(), {}));
}

// What leaf functions hand over so that their own frame is not lost; null where a frame record says it.
Value *leafReturnAddress(IRBuilderBase &B, bool HasRecord) {
  if (HasRecord)
    return ConstantPointerNull::get(B.getPtrTy());
  return B.CreateIntrinsic(Intrinsic::returnaddress, {}, {B.getInt32(0)});
}

// Epoch difference (from bit 8 up) and mask bits the cell lacks (bits 0 to 7) for the word of Address.
Value *emitMissing(csp::RuntimeAbi &Abi, IRBuilderBase &B, Value *Address, bool IsWrite) {
  uint64_t Base = CSPR_SHADOW_BASE + (IsWrite ? CSPR_CELL_WRITE : CSPR_CELL_READ);
  Value *Offset = B.CreateShl(B.CreateAnd(Address, CSPR_APP_MASK), 1);
  Value *CellAddress = B.CreateAdd(Offset, B.getInt64(Base), "", /*HasNUW=*/true, /*HasNSW=*/true);
  LoadInst *Cell = B.CreateAlignedLoad(B.getInt64Ty(), B.CreateIntToPtr(CellAddress, B.getPtrTy()), Align(8));
  Cell->setAtomic(AtomicOrdering::Unordered);
  setNoSanitize(Cell);
  LoadInst *Current = B.CreateAlignedLoad(B.getInt64Ty(), Abi.threadLocal("__csp_current"), Align(8));
  setNoSanitize(Current);
  return B.CreateLShr(B.CreateXor(Cell, Current), CSPR_STACK_BITS);
}

// True when the inline check cannot prove that this very access is recorded.
Value *emitColdCondition(csp::RuntimeAbi &Abi, IRBuilderBase &B, const csp::Access &A, Value *Address, bool MayStraddle) {
  Value *Missing = emitMissing(Abi, B, Address, A.IsWrite);
  if (A.Bytes == 8 && !MayStraddle)
    return B.CreateIsNotNull(Missing);
  Value *FirstByte = B.CreateAnd(Address, 7);
  Value *Bytes = B.CreateShl(B.getInt64((1u << A.Bytes) - 1), FirstByte);
  Value *Wanted = B.CreateOr(Bytes, B.getInt64(~uint64_t((1u << CSPR_MASK_BITS) - 1)));
  Value *IsCold = B.CreateIsNotNull(B.CreateAnd(Missing, Wanted));
  if (MayStraddle)
    IsCold = B.CreateOr(IsCold, B.CreateICmpUGT(FirstByte, B.getInt64(8 - A.Bytes)));
  return IsCold;
}

void callEntry(csp::RuntimeAbi &Abi, IRBuilderBase &B, const csp::Access &A, bool MayStraddle, bool HasRecord) {
  Value *Leaf = leafReturnAddress(B, HasRecord);
  if (csp::RuntimeAbi::hasColdEntry(A.Bytes)) {
    Abi.call(B, Abi.coldEntry(A.Bytes, A.IsWrite, MayStraddle), {A.Addr, Leaf});
    return;
  }
  StringRef Range = A.IsWrite ? "__csp_write_range" : "__csp_read_range";
  Abi.call(B, Abi.function(Range), {A.Addr, B.getInt64(A.Bytes), Leaf});
}

} // namespace

namespace csp {

void insertCheck(RuntimeAbi &Abi, const Access &A, bool HasRecord) {
  Instruction *Before = A.At;
  DebugLoc Location = A.At->getDebugLoc();
  if (A.Condition) {
    Before = SplitBlockAndInsertIfThen(A.Condition, Before, /*Unreachable=*/false);
    Before->setDebugLoc(Location);
  }
  InstrumentationIRBuilder B(Before);
  bool MayStraddle = A.Alignment.value() < A.Bytes;
  if (A.Bytes > 8 || !RuntimeAbi::hasColdEntry(A.Bytes)) {
    RuntimeAbi::hasColdEntry(A.Bytes) ? ++NumWideChecks : ++NumRangeChecks;
    callEntry(Abi, B, A, MayStraddle, HasRecord);
    return;
  }
  ++NumInlineChecks;
  Value *Address = B.CreatePtrToInt(A.Addr, B.getInt64Ty());
  Value *IsCold = emitColdCondition(Abi, B, A, Address, MayStraddle);
  MDNode *Unlikely = MDBuilder(B.getContext()).createUnlikelyBranchWeights();
  Instruction *ColdEnd = SplitBlockAndInsertIfThen(IsCold, Before, /*Unreachable=*/false, Unlikely);
  InstrumentationIRBuilder Cold(ColdEnd);
  Cold.SetCurrentDebugLocation(B.getCurrentDebugLocation());
  callEntry(Abi, Cold, A, MayStraddle, HasRecord);
}

} // namespace csp
