// AccessFilter.cpp - one function per reason why an access need not be checked; each reason has a counter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An access is never left out for its type or size. Whatever is left out here cannot be the first access of a race that
// would otherwise be reported:
//   - memory that no other task can name (locals that do not escape, by-value parameters),
//   - memory nobody writes (constants, virtual tables),
//   - errno, which is the coroutine's own: the runtime keeps it over every switch, though its address is the OS thread's,
//   - what the same block has already checked, with nothing in between that can end the epoch (rule D4): whoever
//     conflicts with the second access then conflicts with the first,
//   - what the compiler itself added (!nosanitize, profile counters) or keeps in another address space.
#include "RacePass.h"

#include "llvm/ADT/Statistic.h"
#include "llvm/Analysis/CaptureTracking.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Metadata.h"

#define DEBUG_TYPE "cspthread"

using namespace llvm;

STATISTIC(NumSkippedPrivate, "accesses not checked: local that does not escape");
STATISTIC(NumSkippedConstant, "accesses not checked: constant memory");
STATISTIC(NumSkippedErrno, "accesses not checked: errno");
STATISTIC(NumSkippedVtable, "accesses not checked: virtual table");
STATISTIC(NumSkippedChecked, "accesses not checked: same block has checked them");
STATISTIC(NumSkippedCompilerMade, "accesses not checked: made by the compiler");
STATISTIC(NumSkippedAddressSpace, "accesses not checked: other address space");

namespace {

bool isCompilerMade(const csp::Access &A) {
  if (A.At->hasMetadata(LLVMContext::MD_nosanitize) || A.Addr->isSwiftError())
    return true;
  const auto *Global = dyn_cast<GlobalVariable>(getUnderlyingObject(A.Addr));
  if (!Global)
    return false;
  StringRef Name = Global->getName();
  if (Global->isThreadLocal() && Name.starts_with("__csp_")) // stores of call sites
    return true;
  return Name.starts_with("__llvm_gcov") || Name.starts_with("__llvm_gcda") || Name.starts_with("__profc_") ||
         Name.starts_with("__profd_") || (Global->hasSection() && Global->getSection().contains("__llvm_prf_cnts"));
}

bool isOtherAddressSpace(const csp::Access &A) {
  return A.Addr->getType()->getScalarType()->getPointerAddressSpace() != 0;
}

bool isConstantMemory(const csp::Access &A) {
  if (A.IsWrite)
    return false;
  const auto *Global = dyn_cast<GlobalVariable>(getUnderlyingObject(A.Addr));
  return Global && Global->isConstant();
}

bool isErrno(const csp::Access &A) {
  const auto *Call = dyn_cast<CallBase>(getUnderlyingObject(A.Addr));
  const Function *Callee = Call ? Call->getCalledFunction() : nullptr;
  return Callee && (Callee->getName() == "__errno_location" || Callee->getName() == "csp_errno");
}

// A slot of a virtual table: read at an address that was itself read as an object's table pointer.
bool isVtableSlot(const csp::Access &A) {
  if (A.IsWrite)
    return false;
  const auto *Base = dyn_cast<LoadInst>(A.Addr->stripInBoundsOffsets());
  if (!Base)
    return false;
  const MDNode *Tbaa = Base->getMetadata(LLVMContext::MD_tbaa);
  return Tbaa && Tbaa->isTBAAVtableAccess();
}

// Whether the epoch may end in I, memory may be freed in it, or a local's lifetime may end: knowledge of earlier checks
// is worth nothing after it. Acquires alone do not matter for dropping a later check.
bool mayEndEpoch(const Instruction &I) {
  if (const auto *Call = dyn_cast<CallBase>(&I)) {
    if (!isa<IntrinsicInst>(Call))
      return true;
    Intrinsic::ID ID = Call->getIntrinsicID();
    return ID == Intrinsic::lifetime_end || ID == Intrinsic::lifetime_start || ID == Intrinsic::stackrestore;
  }
  return csp::isSynchronizing(I);
}

} // namespace

namespace csp {

// Memory of this call alone: its address is never stored, passed on or returned.
bool AccessFilter::isPrivateMemory(const Value *Addr) {
  const Value *Object = findAllocaForValue(Addr);
  if (!Object) {
    const auto *Parameter = dyn_cast<Argument>(getUnderlyingObject(Addr));
    if (!Parameter || !Parameter->hasByValAttr())
      return false;
    Object = Parameter;
  }
  auto [Known, IsNew] = Escapes.try_emplace(Object, true);
  if (IsNew)
    Known->second = PointerMayBeCaptured(Object, /*ReturnCaptures=*/true);
  return !Known->second;
}

// A write stands for later reads too, a read only for reads.
bool AccessFilter::isAlreadyChecked(const Access &A) {
  if (A.Condition)
    return false;
  if (CheckedWrites.lookup(A.Addr) >= A.Bytes || (!A.IsWrite && CheckedReads.lookup(A.Addr) >= A.Bytes))
    return ++NumSkippedChecked, true;
  uint64_t &Bytes = (A.IsWrite ? CheckedWrites : CheckedReads)[A.Addr];
  Bytes = std::max(Bytes, A.Bytes);
  return false;
}

void AccessFilter::forgetChecks() {
  CheckedReads.clear();
  CheckedWrites.clear();
}

bool AccessFilter::cannotRace(const Access &A) {
  if (isOtherAddressSpace(A))
    return ++NumSkippedAddressSpace, true;
  if (isCompilerMade(A))
    return ++NumSkippedCompilerMade, true;
  if (isConstantMemory(A))
    return ++NumSkippedConstant, true;
  if (isErrno(A))
    return ++NumSkippedErrno, true;
  if (isVtableSlot(A))
    return ++NumSkippedVtable, true;
  if (isPrivateMemory(A.Addr))
    return ++NumSkippedPrivate, true;
  return false;
}

void AccessFilter::leaves(const Instruction &I) {
  if (mayEndEpoch(I))
    forgetChecks();
}

} // namespace csp
