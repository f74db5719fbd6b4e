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
//   - what every way to the access has already checked, with nothing in between that can end the epoch (rule D4): whoever
//     conflicts with the second access then conflicts with the first,
//   - what the compiler itself added (!nosanitize, profile counters) or keeps in another address space.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/CaptureTracking.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Metadata.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

CSP_COUNTER(NumSkippedPrivate, "accesses not checked: local that does not escape");
CSP_COUNTER(NumSkippedHeap, "accesses not checked: heap block that does not escape");
CSP_COUNTER(NumSkippedNeverWritten, "accesses not checked: variable that nothing writes");
CSP_COUNTER(NumSkippedConstant, "accesses not checked: constant memory");
CSP_COUNTER(NumSkippedErrno, "accesses not checked: errno");
CSP_COUNTER(NumSkippedVtable, "accesses not checked: virtual table");
CSP_COUNTER(NumSkippedChecked, "accesses not checked: checked on every way there");
CSP_COUNTER(NumSkippedCompilerMade, "accesses not checked: made by the compiler");
CSP_COUNTER(NumSkippedAddressSpace, "accesses not checked: other address space");

static cl::opt<bool> ClPrivateHeap("csp-private-heap", cl::init(true),
                                   cl::desc("Leave out accesses to heap blocks that do not escape"));
static cl::opt<bool> ClNeverWritten("csp-never-written", cl::init(true),
                                    cl::desc("Leave out reads of a module's own variables that nothing writes"));

static cl::opt<bool> ClAcrossBlocks("csp-across-blocks", cl::init(true),
                                    cl::desc("Let checks of earlier blocks stand for later accesses"));
static cl::opt<bool> ClQuietCalls("csp-quiet-calls", cl::init(true),
                                  cl::desc("Let checks stand across calls proven to order and free nothing"));

namespace {

constexpr unsigned MostKept = 64, MostOrigins = 16;

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

template <typename Map> void keepCommon(Map &Mine, const Map &Other) {
  SmallVector<const Value *, 8> Gone;
  for (auto &[Addr, Bytes] : Mine)
    if (!(Bytes = std::min(Bytes, Other.lookup(Addr))))
      Gone.push_back(Addr);
  for (const Value *Addr : Gone)
    Mine.erase(Addr);
}

} // namespace

namespace csp {

QuietFunctions findQuietFunctions(const Module &M) {
  QuietFunctions Quiet;
  for (const Function &F : M)
    if (ClQuietCalls && F.hasFnAttribute(Attribute::NoSync) && F.hasFnAttribute(Attribute::NoFree))
      Quiet.insert(&F);
  return Quiet;
}

// Whether the epoch may end in I, memory may be freed in it, or a local's lifetime may end: knowledge of earlier checks
// is worth nothing after it. Acquires alone do not matter for dropping a later check.
bool AccessFilter::mayEndEpoch(const Instruction &I) const {
  if (const auto *Call = dyn_cast<CallBase>(&I)) {
    if (csp::loopMarkerOf(*Call))
      return false;
    if (!isa<IntrinsicInst>(Call))
      return Call->isInlineAsm() || !Quiet.contains(Call->getCalledFunction());
    Intrinsic::ID ID = Call->getIntrinsicID();
    return ID == Intrinsic::lifetime_end || ID == Intrinsic::lifetime_start || ID == Intrinsic::stackrestore;
  }
  return csp::isSynchronizing(I);
}

// Memory of this call alone: its address is never stored, passed on or returned.
bool AccessFilter::isPrivateObject(const Value *Object) {
  const auto *Parameter = dyn_cast<Argument>(Object);
  const bool IsBlock = ClPrivateHeap && isNoAliasCall(Object);
  if (!IsBlock && !isa<AllocaInst>(Object) && !(Parameter && Parameter->hasByValAttr()))
    return false;
  auto [Known, IsNew] = Escapes.try_emplace(Object, true);
  if (IsNew)
    Known->second = PointerMayBeCaptured(Object, /*ReturnCaptures=*/true);
  return !Known->second;
}

// Whatever a phi or select chooses, it lies in one of the objects that its operands lie in, of this or an earlier turn
// of a loop; all turns of an allocation in a loop are one object here.
bool AccessFilter::isPrivateChoice(const Value *Choice) {
  SmallVector<const Value *, 8> Left{Choice};
  SmallPtrSet<const Value *, MostOrigins> Seen;
  while (!Left.empty()) {
    const Value *Object = getUnderlyingObject(Left.pop_back_val());
    if (!Seen.insert(Object).second)
      continue;
    if (Seen.size() > MostOrigins) // bounds the work in very large functions
      return false;
    if (const auto *Phi = dyn_cast<PHINode>(Object))
      append_range(Left, Phi->incoming_values());
    else if (const auto *Select = dyn_cast<SelectInst>(Object))
      Left.append({Select->getTrueValue(), Select->getFalseValue()});
    else if (!isPrivateObject(Object))
      return false;
  }
  return true;
}

bool AccessFilter::isPrivateMemory(const Value *Addr) {
  if (const AllocaInst *Local = findAllocaForValue(Addr))
    return isPrivateObject(Local);
  const Value *Object = getUnderlyingObject(Addr);
  if (!ClPrivateHeap || !isa<PHINode, SelectInst>(Object))
    return isPrivateObject(Object);
  auto [Known, IsNew] = Choices.try_emplace(Object, false);
  return IsNew ? Known->second = isPrivateChoice(Object) : Known->second;
}

// A write stands for later reads too, a read only for reads.
bool AccessFilter::isAlreadyChecked(const Access &A) {
  if (A.Condition)
    return false;
  if (Now.Writes.lookup(A.Addr) >= A.Bytes || (!A.IsWrite && Now.Reads.lookup(A.Addr) >= A.Bytes))
    return ++NumSkippedChecked, true;
  uint64_t &Bytes = (A.IsWrite ? Now.Writes : Now.Reads)[A.Addr];
  Bytes = std::max(Bytes, A.Bytes);
  return false;
}

bool AccessFilter::leaves(const Instruction &I) {
  bool Ends = mayEndEpoch(I);
  if (Ends)
    Now = Checks();
  return Ends;
}

// What every way into the block has checked. A way not walked yet, back into a loop, may have checked nothing; and
// since every cycle has one, an address is never compared with that of an earlier iteration.
void AccessFilter::startBlock(const BasicBlock &BB) {
  Now = Checks();
  bool IsFirst = true;
  if (!ClAcrossBlocks || BB.isEHPad())
    return;
  for (const BasicBlock *From : predecessors(&BB)) {
    auto Found = AtEnd.find(From);
    if (Found == AtEnd.end())
      return (void)(Now = Checks());
    if (IsFirst)
      Now = Found->second;
    else
      keepCommon(Now.Reads, Found->second.Reads), keepCommon(Now.Writes, Found->second.Writes);
    IsFirst = false;
  }
}

void AccessFilter::endBlock(const BasicBlock &BB) {
  if (Now.Reads.size() + Now.Writes.size() > MostKept) // bounds the work in very large functions
    Now = Checks();
  AtEnd[&BB] = std::move(Now);
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
    return ++(findAllocaForValue(A.Addr) || isa<Argument>(getUnderlyingObject(A.Addr)) ? NumSkippedPrivate
                                                                                       : NumSkippedHeap),
           true;
  return false;
}

} // namespace csp
