// RacePass.h - the instrumentation pass and the parts it is made of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function is instrumented in three steps: collect what it does (RacePass.cpp), leave out what need not be checked
// (AccessFilter.cpp, MergedChecks.cpp; loops earlier, in LoopChecks.cpp), insert (MaskedAccess.cpp, FastPath.cpp,
// Atomics.cpp, CxxRuntime.cpp, CallContext.cpp).
#ifndef CSP_PASS_RACEPASS_H
#define CSP_PASS_RACEPASS_H

#include "RuntimeAbi.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/PassManager.h"

#include <optional>

namespace llvm {
class IntrinsicInst;
class LoadInst;
} // namespace llvm

namespace csp {

// A plain access of Bytes bytes at Addr, made by instruction At; its check goes before At and carries At's location.
struct Access {
  llvm::Instruction *At;
  llvm::Value *Addr;
  uint64_t Bytes;
  llvm::Align Alignment;
  bool IsWrite;
  llvm::Value *Condition = nullptr; // i1: the access happens only when true (one lane of a masked operation)
  unsigned Span = 0;                // accesses with one number have nothing between them that ends a span
  int64_t Distance = 0;             // in bytes from the first access of its group
};

// --- AccessFilter.cpp: which accesses need no check ---------------------------------------------------------------
// Functions proven to order nothing and to free nothing, themselves and in all they call; to be collected before any
// function is instrumented, which ends the proofs.
using QuietFunctions = llvm::SmallPtrSet<const llvm::Function *, 16>;
QuietFunctions findQuietFunctions(const llvm::Module &M);

class AccessFilter {
public:
  explicit AccessFilter(const QuietFunctions &Quiet) : Quiet(Quiet) {}
  // Blocks are walked in reverse post-order, instructions in order; leaves() is told of each, endBlock() at the end.
  void startBlock(const llvm::BasicBlock &BB);
  void endBlock(const llvm::BasicBlock &BB);
  bool leaves(const llvm::Instruction &I); // true: earlier checks stand for nothing any more
  bool needsNoCheck(const Access &A) { return cannotRace(A) || isAlreadyChecked(A); }
  // Without what this block has checked: also for accesses whose size is not known.
  bool cannotRace(const Access &A);

private:
  bool mayEndEpoch(const llvm::Instruction &I) const;
  bool isPrivateMemory(const llvm::Value *Addr);
  bool isPrivateChoice(const llvm::Value *Choice);
  bool isPrivateObject(const llvm::Value *Object);
  bool isAlreadyChecked(const Access &A);

  llvm::DenseMap<const llvm::Value *, bool> Escapes; // by object
  llvm::DenseMap<const llvm::Value *, bool> Choices; // by phi or select: whether all it may choose is private
  // How many bytes from a pointer on this block has checked since the last possible release: as reads, as writes.
  using CheckedBytes = llvm::SmallDenseMap<const llvm::Value *, uint64_t, 8>;
  struct Checks {
    CheckedBytes Reads, Writes;
  };
  Checks Now;
  llvm::DenseMap<const llvm::BasicBlock *, Checks> AtEnd; // of the blocks walked so far
  const QuietFunctions &Quiet;
};

// --- MaskedAccess.cpp: vector accesses of which only some lanes happen --------------------------------------------
// Appends the accesses of a masked, gather, scatter, expand or compress intrinsic; false if I is none.
bool collectMaskedAccesses(llvm::IntrinsicInst &I, llvm::SmallVectorImpl<Access> &Out);
// Appends the accesses of the lanes that Load's users look at; false when they may look at all of it.
bool collectDemandedLanes(llvm::LoadInst &Load, llvm::SmallVectorImpl<Access> &Out);

// --- MergedChecks.cpp: one inline check for several accesses ------------------------------------------------------
// True when no check may be moved from behind I to before it.
bool endsSpan(const llvm::Instruction &I);
// Accesses whose checks are made at the place of the first of them, which is where they start from.
using AccessGroup = llvm::SmallVector<Access, 4>;
// All are in one group each, in the order they came; groups too.
llvm::SmallVector<AccessGroup, 16> groupAccesses(llvm::ArrayRef<Access> All, const llvm::DataLayout &DL);

// --- FastPath.cpp: the inline check -------------------------------------------------------------------------------
// HasRecord: the function keeps a frame record; else its own return address is handed to the detector (rule C2).
void insertCheck(RuntimeAbi &Abi, llvm::ArrayRef<Access> Group, bool HasRecord);
// Puts the call of the detector that a loop's marker stands for before it.
void checkLoop(RuntimeAbi &Abi, llvm::CallBase &Call, bool HasRecord);

// --- ThreadLocal.cpp ----------------------------------------------------------------------------------------------
// The address, computed anew from the thread pointer if it is that of a thread-local.
llvm::Value *addressNow(llvm::IRBuilderBase &B, llvm::Value *Address);

// --- Atomics.cpp --------------------------------------------------------------------------------------------------
// True for operations that order threads or are ordered between them: to be replaced by a call.
bool isSynchronizing(const llvm::Instruction &I);
// Replaces I by calls and appends them to Calls.
void replaceAtomic(RuntimeAbi &Abi, llvm::Instruction &I, llvm::SmallVectorImpl<llvm::CallBase *> &Calls);

// --- CxxRuntime.cpp -----------------------------------------------------------------------------------------------
// True for a call of the C++ runtime that orders threads in ways the detector cannot see.
bool isCxxRuntimeCall(const llvm::CallBase &Call);
// Adds the call that tells the detector, and appends it to Calls.
void tellCxxRuntimeCall(RuntimeAbi &Abi, llvm::CallBase &Call, llvm::SmallVectorImpl<llvm::CallBase *> &Calls);

// --- LoopChecks.cpp: checks taken out of loops, before vectorisation ----------------------------------------------
inline constexpr unsigned LoopDimensions = 3;
// A marker's call: ptr first element, i64 size, LoopDimensions times (i64 count, i64 stride); its !dbg and alignment
// are the accesses'.
struct LoopMarker {
  bool IsWrite;
  bool IsOne; // element
  uint64_t Bytes;
  llvm::Align Alignment;
};
std::optional<LoopMarker> loopMarkerOf(const llvm::CallBase &Call);
// True when a marker stands for the access.
bool isCheckedByLoop(const llvm::Instruction &I);
class LoopChecksPass : public llvm::PassInfoMixin<LoopChecksPass> {
public:
  llvm::PreservedAnalyses run(llvm::Function &F, llvm::FunctionAnalysisManager &FAM);
};

// --- CallContext.cpp ----------------------------------------------------------------------------------------------
// True for a call whose callee may want to know where it was called from.
bool wantsContext(const llvm::CallBase &Call);
// Makes F keep a frame record, current at each of Calls.
void keepFrameRecord(RuntimeAbi &Abi, llvm::Function &F, llvm::ArrayRef<llvm::CallBase *> Calls);

// --- Sites.cpp ----------------------------------------------------------------------------------------------------
// Lowers the calls that SiteAction put into the AST. Runs first of all passes, so that nothing else sees them.
class SitePass : public llvm::PassInfoMixin<SitePass> {
public:
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &);
  static bool isRequired() { return true; }
};
// annotate("csp_site") on a declaration: its calls are marked.
inline constexpr llvm::StringLiteral SiteAnnotation = "csp_site";
inline constexpr llvm::StringLiteral SiteMarkerPrefix = "__csp_site.";
bool isSiteMarker(const llvm::Function &F);

// --- BlockTypes.cpp -----------------------------------------------------------------------------------------------
// Puts what noteBlockTypes collected into a section of M that is not loaded; nothing without debug information.
void emitBlockTypes(llvm::Module &M);

// --- RacePass.cpp -------------------------------------------------------------------------------------------------
class RacePass : public llvm::PassInfoMixin<RacePass> {
public:
  explicit RacePass(bool BeforeLink = false) : BeforeLink(BeforeLink) {}
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  static bool isRequired() { return true; }

private:
  bool BeforeLink; // link-time optimization follows
};

} // namespace csp
#endif
