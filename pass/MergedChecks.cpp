// MergedChecks.cpp - accesses at constant distances from one address share an inline check.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   p->x = 1;  p->y = 2;  p->z = 3;      before the first: do the cells of x, y and z all say "recorded"?
//                                        no: each one's own entry is called, with its own line, one after the other
//
// So only the question is shared: one load of the epoch, one branch, one cold block; fields of one word are one cell.
// What the detector is told is what it would be told without merging, and reports name each access as before.
//
// Why no race is lost or made up (rule D4, moving up). A check moves to the place of the group's first access, in its
// own block, with nothing between that could order tasks, free memory, end a local's life or not return: only accesses,
// arithmetic and intrinsics without such effects (endsSpan). So the access is certain to be made, and it is checked in
// its own epoch, with the knowledge of other tasks that it would have had. An access of another task that is recorded
// in between meets our record instead of we its: that a race is found does not depend on who comes second. Nor does a
// skipped check that relied on a merged one (AccessFilter.cpp): it is behind both places. A fault in between
// leaves checks of accesses that did not happen, as with loops.
//
// A thread-local's address is computed anew for the first (ThreadLocal.cpp) and with it for all: in a span nobody moves
// to another thread.
//
// Reads and writes are apart: reads have a second chance in the cold block, the read set, which asks for the same of
// all.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

CSP_COUNTER(NumMerged, "accesses checked together with an earlier one");

static cl::opt<bool> ClMerge("csp-merge", cl::init(true),
                             cl::desc("Check accesses at constant distances from one address together"));

namespace {

constexpr size_t MostMembers = 8;
constexpr int64_t MostDistance = 4096; // what is further apart is no neighbour, and is seldom recorded together

// Its check asks for nothing but its cells.
bool isPlain(const csp::Access &A) {
  return !A.Condition && csp::RuntimeAbi::hasColdEntry(A.Bytes) &&
         A.Alignment.value() >= std::min<uint64_t>(A.Bytes, 8);
}

} // namespace

namespace csp {

bool endsSpan(const Instruction &I) {
  if (I.isVolatile() || isSynchronizing(I))
    return true;
  const auto *Call = dyn_cast<CallBase>(&I);
  if (!Call || loopMarkerOf(*Call))
    return false;
  const auto *Known = dyn_cast<IntrinsicInst>(Call);
  return !Known || Known->isLifetimeStartOrEnd() || Known->getIntrinsicID() == Intrinsic::stackrestore ||
         !Known->willReturn();
}

SmallVector<AccessGroup, 16> groupAccesses(ArrayRef<Access> All, const DataLayout &DL) {
  SmallVector<AccessGroup, 16> Groups;
  struct Open {
    size_t Group;
    int64_t Offset; // of its first access, from the base
  };
  DenseMap<std::pair<const Value *, unsigned>, Open> Newest; // by base; by span and kind
  for (Access A : All) {
    int64_t Offset = 0;
    const Value *Base =
        A.Addr->getType()->isPointerTy() ? GetPointerBaseWithConstantOffset(A.Addr, Offset, DL) : A.Addr;
    const std::pair Key{Base, A.Span * 2 + A.IsWrite};
    const bool MayMerge = ClMerge && isPlain(A);
    if (auto Found = Newest.find(Key); MayMerge && Found != Newest.end()) {
      A.Distance = Offset - Found->second.Offset;
      AccessGroup &Group = Groups[Found->second.Group];
      if (Group.size() < MostMembers && std::abs(A.Distance) <= MostDistance) {
        Group.push_back(A);
        ++NumMerged;
        continue;
      }
    }
    A.Distance = 0;
    if (MayMerge)
      Newest[Key] = {Groups.size(), Offset};
    Groups.push_back({A});
  }
  return Groups;
}

} // namespace csp
