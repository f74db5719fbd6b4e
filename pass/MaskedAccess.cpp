// MaskedAccess.cpp - vector accesses that touch only some of their lanes: no report may be about a lane that is not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A constant mask becomes one access per run of neighbouring lanes; a variable one, one conditional access per lane.
// The same runs serve wide loads of which only some lanes are used: vectorizers load the gaps between the elements of a
// strided loop as well, which the program never reads (rule D1).
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/APInt.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Transforms/Utils/Instrumentation.h"

using namespace llvm;

CSP_COUNTER(NumMasked, "masked, gathered or scattered vector accesses");
CSP_COUNTER(NumNarrowed, "wide loads of which only some lanes are used");

namespace {

// The lanes of one vector operation: where lane 0 lies and how far apart they are.
struct Lanes {
  Instruction *At;
  Value *Base;
  uint64_t LaneBytes;
  Align Alignment;
  bool IsWrite;
};

csp::Access accessOfLanes(const Lanes &L, unsigned First, unsigned Count, Value *Condition) {
  InstrumentationIRBuilder B(L.At);
  uint64_t Offset = First * L.LaneBytes;
  Value *Addr = Offset ? B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), L.Base, Offset) : L.Base;
  return {L.At, Addr, Count * L.LaneBytes, commonAlignment(L.Alignment, Offset), L.IsWrite, Condition};
}

void collectRuns(const Lanes &L, const APInt &Wanted, SmallVectorImpl<csp::Access> &Out) {
  unsigned N = Wanted.getBitWidth();
  for (unsigned First = 0; First < N; ++First) {
    unsigned End = First;
    while (End < N && Wanted[End])
      ++End;
    if (End == First)
      continue;
    Out.push_back(accessOfLanes(L, First, End - First, nullptr));
    First = End;
  }
}

// The lanes a constant mask selects; undefined ones count as not selected.
bool constantLanes(Value *Mask, APInt &Out) {
  auto *C = dyn_cast<Constant>(Mask);
  auto *Type = dyn_cast<FixedVectorType>(Mask->getType());
  if (!C || !Type)
    return false;
  Out = APInt(Type->getNumElements(), 0);
  for (unsigned I = 0; I < Type->getNumElements(); ++I) {
    Constant *Lane = C->getAggregateElement(I);
    if (!Lane || (!isa<ConstantInt>(Lane) && !isa<UndefValue>(Lane)))
      return false;
    if (auto *Bit = dyn_cast<ConstantInt>(Lane); Bit && Bit->isOne())
      Out.setBit(I);
  }
  return true;
}

void collectContiguous(const Lanes &L, Value *Mask, SmallVectorImpl<csp::Access> &Out) {
  APInt Wanted;
  if (constantLanes(Mask, Wanted))
    return collectRuns(L, Wanted, Out);
  InstrumentationIRBuilder B(L.At);
  unsigned N = cast<FixedVectorType>(Mask->getType())->getNumElements();
  for (unsigned I = 0; I < N; ++I)
    Out.push_back(accessOfLanes(L, I, 1, B.CreateExtractElement(Mask, I)));
}

void collectScattered(const Lanes &L, Value *Mask, SmallVectorImpl<csp::Access> &Out) {
  InstrumentationIRBuilder B(L.At);
  unsigned N = cast<FixedVectorType>(Mask->getType())->getNumElements();
  for (unsigned I = 0; I < N; ++I)
    Out.push_back({L.At, B.CreateExtractElement(L.Base, I), L.LaneBytes, L.Alignment, L.IsWrite,
                   B.CreateExtractElement(Mask, I)});
}

// expandload and compressstore: the selected lanes lie packed from Base on; lane I happens when more than I are
// selected.
void collectPacked(const Lanes &L, Value *Mask, SmallVectorImpl<csp::Access> &Out) {
  InstrumentationIRBuilder B(L.At);
  unsigned N = cast<FixedVectorType>(Mask->getType())->getNumElements();
  Value *Bits = B.CreateBitCast(Mask, B.getIntNTy(N));
  Value *Count = B.CreateZExtOrTrunc(B.CreateUnaryIntrinsic(Intrinsic::ctpop, B.CreateZExt(Bits, B.getIntNTy(N + 1))),
                                     B.getInt64Ty());
  for (unsigned I = 0; I < N; ++I)
    Out.push_back(accessOfLanes(L, I, 1, B.CreateICmpUGT(Count, B.getInt64(I))));
}

// Which lanes one user looks at; false: perhaps all.
bool lanesUsedBy(const User *U, const Value *Vector, APInt &Lanes) {
  if (const auto *Extract = dyn_cast<ExtractElementInst>(U)) {
    const auto *Index = dyn_cast<ConstantInt>(Extract->getIndexOperand());
    if (!Index || Index->getValue().uge(Lanes.getBitWidth()))
      return false;
    Lanes.setBit(Index->getZExtValue());
    return true;
  }
  const auto *Shuffle = dyn_cast<ShuffleVectorInst>(U);
  if (!Shuffle)
    return false;
  int N = Lanes.getBitWidth();
  for (int Source : Shuffle->getShuffleMask()) {
    if (Source < 0)
      continue;
    if (Shuffle->getOperand(Source / N) == Vector)
      Lanes.setBit(Source % N);
  }
  return true;
}

} // namespace

namespace csp {

bool collectMaskedAccesses(IntrinsicInst &I, SmallVectorImpl<Access> &Out) {
  // Operands in LLVM 22: load and gather (pointer, mask, otherwise), store and scatter (value, pointer, mask).
  Intrinsic::ID ID = I.getIntrinsicID();
  bool IsWrite = false;
  switch (ID) {
  case Intrinsic::masked_load:
  case Intrinsic::masked_gather:
  case Intrinsic::masked_expandload:
    break;
  case Intrinsic::masked_store:
  case Intrinsic::masked_scatter:
  case Intrinsic::masked_compressstore:
    IsWrite = true;
    break;
  default:
    return false;
  }
  ++NumMasked;
  unsigned PointerAt = IsWrite ? 1 : 0;
  Type *Vector = IsWrite ? I.getArgOperand(0)->getType() : I.getType();
  uint64_t LaneBytes = I.getDataLayout().getTypeStoreSize(Vector->getScalarType()).getFixedValue();
  Lanes L{&I, I.getArgOperand(PointerAt), LaneBytes, I.getParamAlign(PointerAt).valueOrOne(), IsWrite};
  Value *Mask = I.getArgOperand(PointerAt + 1);
  if (ID == Intrinsic::masked_load || ID == Intrinsic::masked_store)
    collectContiguous(L, Mask, Out);
  else if (ID == Intrinsic::masked_gather || ID == Intrinsic::masked_scatter)
    collectScattered(L, Mask, Out);
  else
    collectPacked(L, Mask, Out);
  return true;
}

bool collectDemandedLanes(LoadInst &Load, SmallVectorImpl<Access> &Out) {
  auto *Vector = dyn_cast<FixedVectorType>(Load.getType());
  if (!Vector || Load.isVolatile() || Load.use_empty() || !Vector->getScalarType()->isSized())
    return false;
  uint64_t LaneBits = Load.getDataLayout().getTypeSizeInBits(Vector->getScalarType()).getFixedValue();
  if (LaneBits % 8)
    return false;
  APInt Wanted(Vector->getNumElements(), 0);
  for (const User *U : Load.users())
    if (!lanesUsedBy(U, &Load, Wanted))
      return false;
  if (Wanted.isAllOnes())
    return false;
  ++NumNarrowed;
  collectRuns({&Load, Load.getPointerOperand(), LaneBits / 8, Load.getAlign(), false}, Wanted, Out);
  return true;
}

} // namespace csp
