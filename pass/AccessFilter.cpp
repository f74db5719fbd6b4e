// AccessFilter.cpp - one function per reason why an access need not be checked; each reason has a counter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An access is never left out for its type or size. Whatever is left out here cannot be the first access of a race that
// would otherwise be reported:
//   - memory that no other task can name (locals and fresh heap blocks that do not escape, by-value parameters),
//   - memory nobody writes (constants, variables of this module that nothing stores to, virtual tables),
//   - errno, which is the coroutine's own: the runtime keeps it over every switch, though its address is the OS thread's,
//   - reads that the same block follows with a write to the same bytes, with nothing in between that orders, that may
//     not return or that checks (rule D4, moving down): whoever conflicts with the read conflicts with the write,
//   - what the same block has already checked, with nothing in between that can end the epoch (rule D4): whoever
//     conflicts with the second access then conflicts with the first,
//   - what the compiler itself added (!nosanitize, profile counters) or keeps in another address space.
#include "RacePass.h"

#include "llvm/ADT/Statistic.h"
#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/CaptureTracking.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Metadata.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/CommandLine.h"

#define DEBUG_TYPE "cspthread"

using namespace llvm;

STATISTIC(NumSkippedPrivate, "accesses not checked: local that does not escape");
STATISTIC(NumSkippedHeap, "accesses not checked: heap block that does not escape");
STATISTIC(NumSkippedNeverWritten, "accesses not checked: variable that nothing writes");
STATISTIC(NumSkippedConstant, "accesses not checked: constant memory");
STATISTIC(NumSkippedErrno, "accesses not checked: errno");
STATISTIC(NumSkippedVtable, "accesses not checked: virtual table");
STATISTIC(NumSkippedChecked, "accesses not checked: same block has checked them");
STATISTIC(NumSkippedCompilerMade, "accesses not checked: made by the compiler");
STATISTIC(NumSkippedAddressSpace, "accesses not checked: other address space");

static cl::opt<bool> ClPrivateHeap("csp-private-heap", cl::init(true),
                                   cl::desc("Leave out accesses to heap blocks that do not escape"));
static cl::opt<bool> ClNeverWritten("csp-never-written", cl::init(true),
                                    cl::desc("Leave out reads of a module's own variables that nothing writes"));

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

// Loads, and addresses that only loads use.
bool isOnlyRead(const Value &Pointer, unsigned Depth = 0) {
  return Depth < 4 && all_of(
                          Pointer.users(),
                          [&](const User *U) {
                            if (const auto *Load = dyn_cast<LoadInst>(U))
                              return !Load->isVolatile();
                            return isa<GEPOperator>(U) && isOnlyRead(*U, Depth + 1);
                          });
}

bool isNeverWritten(const csp::Access &A) {
  const auto *Global = dyn_cast<GlobalVariable>(getUnderlyingObject(A.Addr));
  return ClNeverWritten && !A.IsWrite && Global && Global->hasLocalLinkage() && Global->hasInitializer() &&
         !Global->isExternallyInitialized() && isOnlyRead(*Global);
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

} // namespace

namespace csp {

bool mayEndEpoch(const Instruction &I) {
  if (const auto *Call = dyn_cast<CallBase>(&I)) {
    if (csp::loopMarkerOf(*Call))
      return false;
    if (!isa<IntrinsicInst>(Call))
      return true;
    Intrinsic::ID ID = Call->getIntrinsicID();
    return ID == Intrinsic::lifetime_end || ID == Intrinsic::lifetime_start || ID == Intrinsic::stackrestore;
  }
  return csp::isSynchronizing(I);
}

// Memory of this call alone: its address is never stored, passed on or returned.
bool AccessFilter::isPrivateMemory(const Value *Addr) {
  const Value *Object = findAllocaForValue(Addr);
  if (!Object) {
    Object = getUnderlyingObject(Addr);
    const auto *Parameter = dyn_cast<Argument>(Object);
    const bool IsBlock = ClPrivateHeap && isNoAliasCall(Object);
    if (!IsBlock && !(Parameter && Parameter->hasByValAttr()))
      return false;
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
  if (isNeverWritten(A))
    return ++NumSkippedNeverWritten, true;
  if (isErrno(A))
    return ++NumSkippedErrno, true;
  if (isVtableSlot(A))
    return ++NumSkippedVtable, true;
  if (isPrivateMemory(A.Addr))
    return ++(isNoAliasCall(getUnderlyingObject(A.Addr)) ? NumSkippedHeap : NumSkippedPrivate), true;
  return false;
}

} // namespace csp
