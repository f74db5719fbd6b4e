// FastPath.cpp - the inline check: compares a shadow cell with the running task's epoch and calls out when they differ.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   cell    = *(BASE + ((addr & MASK) << 1) + (write ? 8 : 0))        unordered atomic: another thread may replace it
//   missing = (cell ^ __csp_current) >> MASK_SHIFT                     epoch difference above, bytes not recorded below
//   if (missing & (epoch bits | bytes of this access)) entry(addr, leaf_ret)
//
// `current` has all mask bits set, so a mask bit is "missing" exactly where the cell lacks it. The shift makes the
// constant an 8-bit mask and a sign-extended -256: no 64-bit immediates. An access that may leave its 8-byte word also
// calls when it does (rule A6), since its cell says nothing about the next word; 16, 32 and 64 bytes look at the cells
// of all their words and call when they do not begin at a word. Skipping is exact because every release, and only a
// release, ends the epoch (rules A9, A10).
//
// A read that fails this is tried once more before the call, in the cold block, against the read set that the task is
// known to be in (rule A4): there the cell must equal __csp_current_shared in all but the mask bits of other bytes and
// the set's variant, which says with which stacks these epochs read. Words of tables that several tasks read are then
// recorded inline, at no cost for other accesses.
//
// The TLS word is read once per check, as the direct operand of a load (rule D6).
#include "Counter.h"
#include "RacePass.h"
#include "layout.h"

#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Instrumentation.h"

using namespace llvm;

CSP_COUNTER(NumInlineChecks, "accesses checked inline");
CSP_COUNTER(NumLoopChecks, "loops' checks");
CSP_COUNTER(NumRangeChecks, "accesses of other sizes checked as a range");

namespace {

constexpr uint64_t ShadowBytesPerWord = 16; // a read cell and a write cell

void setNoSanitize(Instruction *I) {
  I->setMetadata(LLVMContext::MD_nosanitize, MDNode::get(I->getContext(), {}));
}

// What leaf functions hand over so that their own frame is not lost; null where a frame record says it.
Value *leafReturnAddress(IRBuilderBase &B, bool HasRecord) {
  if (HasRecord)
    return ConstantPointerNull::get(B.getPtrTy());
  return B.CreateIntrinsic(Intrinsic::returnaddress, {}, {B.getInt32(0)});
}

// The shadow address of the word of Address: of its write cell or its read cell.
Value *emitCellAddress(IRBuilderBase &B, Value *Address, bool IsWrite) {
  uint64_t Base = CSPR_SHADOW_BASE + (IsWrite ? CSPR_CELL_WRITE : CSPR_CELL_READ);
  Value *Offset = B.CreateShl(B.CreateAnd(Address, CSPR_APP_MASK), 1);
  return B.CreateAdd(Offset, B.getInt64(Base), "", /*HasNUW=*/true, /*HasNSW=*/true);
}

Value *emitCellLoad(IRBuilderBase &B, Value *CellAddress) {
  LoadInst *Cell = B.CreateAlignedLoad(B.getInt64Ty(), B.CreateIntToPtr(CellAddress, B.getPtrTy()), Align(8));
  Cell->setAtomic(AtomicOrdering::Unordered);
  setNoSanitize(Cell);
  return Cell;
}

// An inline check as far as it has been emitted.
struct Check {
  Value *Address;
  bool MayStraddle;
  Value *CellAddress = nullptr;
  uint64_t Words = 1;
  Value *Wanted = nullptr; // of less than a word: the bits of `missing` that count; else all do
};

// The cells of the access's words against a thread-local that stands for all bytes: bits that differ in any of them.
Value *emitDifference(csp::RuntimeAbi &Abi, IRBuilderBase &B, const Check &C, StringRef ThreadLocal) {
  LoadInst *Known = B.CreateAlignedLoad(B.getInt64Ty(), Abi.threadLocal(ThreadLocal), Align(8));
  setNoSanitize(Known);
  Value *Differing = nullptr;
  for (uint64_t I = 0; I < C.Words; ++I) {
    Value *Place = I ? B.CreateAdd(C.CellAddress, B.getInt64(I * ShadowBytesPerWord)) : C.CellAddress;
    Value *Difference = B.CreateXor(emitCellLoad(B, Place), Known);
    Differing = Differing ? B.CreateOr(Differing, Difference) : Difference;
  }
  return Differing;
}

// The bits of `missing` that must be clear for an access of less than a word: all epoch bits, and its own bytes.
Value *emitWanted(IRBuilderBase &B, Value *FirstByte, uint64_t Bytes, bool MayStraddle) {
  const uint64_t Epoch = ~uint64_t((1u << CSPR_MASK_BITS) - 1);
  if (Bytes == 4 && !MayStraddle) // one half or the other: cheaper than a shift
    return B.CreateSelect(B.CreateIsNotNull(B.CreateAnd(FirstByte, 4)), B.getInt64(Epoch | 0xf0),
                          B.getInt64(Epoch | 0x0f));
  return B.CreateOr(B.CreateShl(B.getInt64((1u << Bytes) - 1), FirstByte), B.getInt64(Epoch));
}

// True when the inline check cannot prove that this very access is recorded.
Value *emitColdCondition(csp::RuntimeAbi &Abi, IRBuilderBase &B, const csp::Access &A, Check &C) {
  C.CellAddress = emitCellAddress(B, C.Address, A.IsWrite);
  C.Words = A.Bytes >= 8 ? A.Bytes / 8 : 1;
  Value *Missing = B.CreateLShr(emitDifference(Abi, B, C, "__csp_current"), CSPR_MASK_SHIFT);
  if (A.Bytes >= 8) { // what does not begin at a word touches one word more
    C.MayStraddle = A.Alignment < 8;
    return B.CreateIsNotNull(C.MayStraddle ? B.CreateOr(Missing, B.CreateAnd(C.Address, 7)) : Missing);
  }
  Value *FirstByte = B.CreateAnd(C.Address, 7);
  C.Wanted = emitWanted(B, FirstByte, A.Bytes, C.MayStraddle);
  Value *IsCold = B.CreateIsNotNull(B.CreateAnd(Missing, C.Wanted));
  if (C.MayStraddle)
    IsCold = B.CreateOr(IsCold, B.CreateICmpUGT(FirstByte, B.getInt64(8 - A.Bytes)));
  return IsCold;
}

// For a read that failed the check, inside its words: true when the known read set does not prove it recorded either.
Value *emitNotShared(csp::RuntimeAbi &Abi, IRBuilderBase &B, const Check &C) {
  Value *Difference = emitDifference(Abi, B, C, "__csp_current_shared");
  if (!C.Wanted)
    return B.CreateIsNotNull(B.CreateLShr(Difference, CSPR_SET_VARIANT_BITS));
  const uint64_t Group = (1u << CSPR_MASK_SHIFT) - (1u << CSPR_SET_VARIANT_BITS);
  Value *Missing = B.CreateAnd(B.CreateLShr(Difference, CSPR_MASK_SHIFT), C.Wanted);
  return B.CreateIsNotNull(B.CreateOr(Missing, B.CreateAnd(Difference, Group)));
}

bool hasLine(const DebugLoc &L) {
  return L && L.getLine();
}

// The access's own place. A load that the optimizer moved has lost it; then the place where its value is used, and for
// a store where the value is made: in the source that is where the variable stands.
DebugLoc placeOf(const Instruction &I) {
  DebugLoc Own = I.getDebugLoc();
  if (hasLine(Own))
    return Own;
  if (const auto *Store = dyn_cast<StoreInst>(&I)) {
    const auto *Value = dyn_cast<Instruction>(Store->getValueOperand());
    return Value && hasLine(Value->getDebugLoc()) ? Value->getDebugLoc() : Own;
  }
  SmallVector<const User *, 8> Users(I.users());
  for (unsigned At = 0; At < Users.size() && At < 16; ++At) {
    const auto *User = cast<Instruction>(Users[At]);
    if (!isa<PHINode>(User) && hasLine(User->getDebugLoc()))
      return User->getDebugLoc();
    if (isa<PHINode>(User) && Users.size() < 16)
      Users.append(User->user_begin(), User->user_end());
  }
  return Own;
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

void insertCheck(RuntimeAbi &Abi, Access A, bool HasRecord) {
  Instruction *Before = A.At;
  DebugLoc Place = placeOf(*A.At);
  if (A.Condition) {
    Before = SplitBlockAndInsertIfThen(A.Condition, Before, /*Unreachable=*/false);
    Before->setDebugLoc(Place);
  }
  InstrumentationIRBuilder B(Before);
  if (Place)
    B.SetCurrentDebugLocation(Place);
  A.Addr = addressNow(B, A.Addr);
  bool MayStraddle = A.Alignment.value() < A.Bytes;
  if (!RuntimeAbi::hasColdEntry(A.Bytes)) {
    ++NumRangeChecks;
    callEntry(Abi, B, A, MayStraddle, HasRecord);
    return;
  }
  ++NumInlineChecks;
  Check C{B.CreatePtrToInt(A.Addr, B.getInt64Ty()), MayStraddle};
  Value *IsCold = emitColdCondition(Abi, B, A, C);
  MDNode *Unlikely = MDBuilder(B.getContext()).createUnlikelyBranchWeights();
  Instruction *ColdEnd = SplitBlockAndInsertIfThen(IsCold, Before, /*Unreachable=*/false, Unlikely);
  if (!A.IsWrite && !C.MayStraddle) {
    InstrumentationIRBuilder Again(ColdEnd);
    Again.SetCurrentDebugLocation(B.getCurrentDebugLocation());
    ColdEnd = SplitBlockAndInsertIfThen(emitNotShared(Abi, Again, C), ColdEnd, /*Unreachable=*/false);
  }
  InstrumentationIRBuilder Cold(ColdEnd);
  Cold.SetCurrentDebugLocation(B.getCurrentDebugLocation());
  callEntry(Abi, Cold, A, MayStraddle, HasRecord);
}

void checkLoop(RuntimeAbi &Abi, CallBase &Call, bool HasRecord) {
  ++NumLoopChecks;
  bool IsWrite = loopMarkerOf(Call)->IsWrite;
  InstrumentationIRBuilder B(&Call);
  B.SetCurrentDebugLocation(Call.getDebugLoc());
  bool IsRow = true;
  for (unsigned I = 1; I < LoopDimensions; ++I)
    IsRow &= match(Call.getArgOperand(2 + 2 * I), PatternMatch::m_One());
  SmallVector<Value *, 10> Args(Call.args());
  if (IsRow)
    Args.truncate(4);
  Args.push_back(leafReturnAddress(B, HasRecord));
  StringRef Entry = IsRow     ? (IsWrite ? "__csp_write_row" : "__csp_read_row")
                    : IsWrite ? "__csp_write_grid"
                              : "__csp_read_grid";
  Abi.call(B, Abi.function(Entry), Args);
}

} // namespace csp
