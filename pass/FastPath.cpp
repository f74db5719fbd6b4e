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

CSP_COUNTER(NumInlineChecks, "inline checks");
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

// The bits of `missing` that must be clear for an access of less than a word: all epoch bits, and its own bytes.
constexpr uint64_t Epoch = ~uint64_t((1u << CSPR_MASK_BITS) - 1);
Value *emitWanted(IRBuilderBase &B, Value *FirstByte, uint64_t Bytes, bool MayStraddle) {
  if (Bytes == 4 && !MayStraddle) // one half or the other: cheaper than a shift
    return B.CreateSelect(B.CreateIsNotNull(B.CreateAnd(FirstByte, 4)), B.getInt64(Epoch | 0xf0),
                          B.getInt64(Epoch | 0x0f));
  return B.CreateOr(B.CreateShl(B.getInt64((1u << Bytes) - 1), FirstByte), B.getInt64(Epoch));
}

// The cells that an inline check looks at, by what is wanted of them; null: all bytes.
class Cells {
public:
  explicit Cells(csp::RuntimeAbi &Abi) : Abi(Abi) {}

  // Those of A, whose address is given.
  void add(IRBuilderBase &B, const csp::Access &A, Value *Address) {
    Value *Cell = emitCellAddress(B, Address, A.IsWrite);
    if (A.Bytes < 8)
      All.push_back({Cell, emitWanted(B, B.CreateAnd(Address, 7), A.Bytes, mayStraddle(A))});
    for (uint64_t Word = 0; Word < A.Bytes / 8; ++Word)
      add(B, Cell, Word * 8, 0xff);
  }

  // The one of the word so many bytes from Cell's.
  void add(IRBuilderBase &B, Value *Cell, int64_t Distance, unsigned Mask) {
    Value *Place = Distance ? B.CreateAdd(Cell, B.getInt64(uint64_t(Distance) * (ShadowBytesPerWord / 8))) : Cell;
    All.push_back({Place, Mask == 0xff ? nullptr : B.getInt64(Epoch | Mask)});
  }

  // Not zero when they do not prove what is wanted to be recorded in this epoch.
  Value *emitMissing(IRBuilderBase &B) const {
    Value *Missing = nullptr;
    for (auto [Wanted, Difference] : emitDifferences(B, "__csp_current")) {
      Value *Shifted = B.CreateLShr(Difference, CSPR_MASK_SHIFT);
      Missing = emitOr(B, Missing, Wanted ? B.CreateAnd(Shifted, Wanted) : Shifted);
    }
    return Missing;
  }

  // The same for reads, by the read set that the task is known to be in.
  Value *emitNotShared(IRBuilderBase &B) const {
    const uint64_t Group = (1u << CSPR_MASK_SHIFT) - (1u << CSPR_SET_VARIANT_BITS);
    Value *Missing = nullptr;
    for (auto [Wanted, Difference] : emitDifferences(B, "__csp_current_shared")) {
      if (!Wanted) {
        Missing = emitOr(B, Missing, B.CreateLShr(Difference, CSPR_SET_VARIANT_BITS));
        continue;
      }
      Value *Bytes = B.CreateAnd(B.CreateLShr(Difference, CSPR_MASK_SHIFT), Wanted);
      Missing = emitOr(B, Missing, B.CreateOr(Bytes, B.CreateAnd(Difference, Group)));
    }
    return Missing;
  }

  static bool mayStraddle(const csp::Access &A) { return A.Alignment.value() < std::min<uint64_t>(A.Bytes, 8); }

private:
  using Differences = SmallMapVector<Value *, Value *, 4>;

  static Value *emitOr(IRBuilderBase &B, Value *Left, Value *Right) { return Left ? B.CreateOr(Left, Right) : Right; }

  // Against a thread-local that stands for all bytes: bits that differ in any of the cells of which the same is wanted.
  Differences emitDifferences(IRBuilderBase &B, StringRef ThreadLocal) const {
    LoadInst *Known = B.CreateAlignedLoad(B.getInt64Ty(), Abi.threadLocal(ThreadLocal), Align(8));
    setNoSanitize(Known);
    Differences ByWanted;
    for (auto [Place, Wanted] : All) {
      Value *&Difference = ByWanted[Wanted];
      Difference = emitOr(B, Difference, B.CreateXor(emitCellLoad(B, Place), Known));
    }
    return ByWanted;
  }

  csp::RuntimeAbi &Abi;
  SmallVector<std::pair<Value *, Value *>, 4> All; // a cell's address, and what is wanted of it
};

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

void callEntry(csp::RuntimeAbi &Abi, IRBuilderBase &B, const csp::Access &A, Value *Address, Value *Leaf) {
  if (csp::RuntimeAbi::hasColdEntry(A.Bytes)) {
    Abi.call(B, Abi.coldEntry(A.Bytes, A.IsWrite, Cells::mayStraddle(A)), {Address, Leaf});
    return;
  }
  StringRef Range = A.IsWrite ? "__csp_write_range" : "__csp_read_range";
  Abi.call(B, Abi.function(Range), {Address, B.getInt64(A.Bytes), Leaf});
}

Value *addDistance(IRBuilderBase &B, Value *Address, int64_t Distance) {
  return Distance ? B.CreatePtrAdd(Address, B.getInt64(Distance)) : Address;
}

// The cells of a group's accesses. One that begins at a word says where the words of all others are, and which of their
// bytes: to shadow that is the same distance, as no object crosses the end of the map (shadow.c).
Cells emitCells(csp::RuntimeAbi &Abi, IRBuilderBase &B, ArrayRef<csp::Access> Group, Value *First) {
  Cells C(Abi);
  auto AddressOf = [&](const csp::Access &A) {
    return B.CreatePtrToInt(addDistance(B, First, A.Distance), B.getInt64Ty());
  };
  const csp::Access *Anchor = find_if(Group, [](const csp::Access &A) { return A.Alignment >= 8; });
  Value *AnchorCell = Anchor == Group.end() ? nullptr : emitCellAddress(B, AddressOf(*Anchor), Anchor->IsWrite);
  MapVector<int64_t, unsigned> Masks; // by distance of the word from the anchor's
  for (const csp::Access &A : Group) {
    int64_t Distance = AnchorCell ? A.Distance - Anchor->Distance : 0;
    uint64_t Byte = Distance & 7;
    if (!AnchorCell || (A.Bytes < 8 ? Byte + A.Bytes > 8 : Byte != 0)) { // nothing known, or the source lies
      C.add(B, A, AddressOf(A));
      continue;
    }
    for (uint64_t Done = 0; Done < A.Bytes; Done += 8)
      Masks[Distance - Byte + Done] |= A.Bytes < 8 ? ((1u << A.Bytes) - 1) << Byte : 0xff;
  }
  for (auto [Distance, Mask] : Masks)
    C.add(B, AnchorCell, Distance, Mask);
  return C;
}

// True when the cells do not prove that the accesses are recorded. What may straddle words is alone.
Value *emitColdCondition(IRBuilderBase &B, const Cells &C, const csp::Access &First, Value *Address) {
  Value *Missing = C.emitMissing(B);
  if (!Cells::mayStraddle(First))
    return B.CreateIsNotNull(Missing);
  Value *FirstByte = B.CreateAnd(B.CreatePtrToInt(Address, B.getInt64Ty()), 7);
  if (First.Bytes >= 8) // what does not begin at a word touches one word more
    return B.CreateIsNotNull(B.CreateOr(Missing, FirstByte));
  return B.CreateOr(B.CreateIsNotNull(Missing), B.CreateICmpUGT(FirstByte, B.getInt64(8 - First.Bytes)));
}

} // namespace

namespace csp {

void insertCheck(RuntimeAbi &Abi, ArrayRef<Access> Group, bool HasRecord) {
  const Access &First = Group.front();
  Instruction *Before = First.At;
  DebugLoc Place = placeOf(*First.At);
  if (First.Condition) {
    Before = SplitBlockAndInsertIfThen(First.Condition, Before, /*Unreachable=*/false);
    Before->setDebugLoc(Place);
  }
  InstrumentationIRBuilder B(Before);
  if (Place)
    B.SetCurrentDebugLocation(Place);
  Value *Address = addressNow(B, First.Addr);
  if (!RuntimeAbi::hasColdEntry(First.Bytes)) {
    ++NumRangeChecks;
    callEntry(Abi, B, First, Address, leafReturnAddress(B, HasRecord));
    return;
  }
  ++NumInlineChecks;
  const Cells C = emitCells(Abi, B, Group, Address);
  Value *IsCold = emitColdCondition(B, C, First, Address);
  MDNode *Unlikely = MDBuilder(B.getContext()).createUnlikelyBranchWeights();
  Instruction *ColdEnd = SplitBlockAndInsertIfThen(IsCold, Before, /*Unreachable=*/false, Unlikely);
  if (!First.IsWrite && !Cells::mayStraddle(First)) {
    InstrumentationIRBuilder Again(ColdEnd);
    Again.SetCurrentDebugLocation(B.getCurrentDebugLocation());
    Value *IsNew = Again.CreateIsNotNull(C.emitNotShared(Again));
    ColdEnd = SplitBlockAndInsertIfThen(IsNew, ColdEnd, /*Unreachable=*/false);
  }
  InstrumentationIRBuilder Cold(ColdEnd);
  Cold.SetCurrentDebugLocation(B.getCurrentDebugLocation());
  Value *Leaf = leafReturnAddress(Cold, HasRecord);
  for (const Access &A : Group) { // each for itself: it is named as it stands in the source
    if (DebugLoc Own = placeOf(*A.At))
      Cold.SetCurrentDebugLocation(Own);
    callEntry(Abi, Cold, A, addDistance(Cold, Address, A.Distance), Leaf);
  }
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
