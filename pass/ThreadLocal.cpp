// ThreadLocal.cpp - where a thread-local lies, computed anew for its check.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A coroutine may go on on another OS thread after any call. The program's own access is relative to the thread pointer
// at the moment it is made, but an address is a value like any other to the compiler: it computes it once and keeps it
// over calls, so that the check would look at the shadow of the thread that the coroutine was on before. (LLVM has no
// instruction for "the address now"; a second call of llvm.threadlocal.address is merged with the first.) Libraries
// built with -fPIC ask __tls_get_addr, whose answer their accesses keep as well: there the address is what is accessed.
#include "RacePass.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace {

// At a constant distance from the thread pointer?
bool isStatic(const GlobalVariable &Variable) {
  const Module &M = *Variable.getParent();
  if (!Triple(M.getTargetTriple()).isX86_64())
    return false;
  auto Mode = Variable.getThreadLocalMode();
  return Mode == GlobalValue::LocalExecTLSModel || Mode == GlobalValue::InitialExecTLSModel ||
         M.getPICLevel() == PICLevel::NotPIC || M.getPIELevel() != PIELevel::Default;
}

// The thread-local that an address is derived from by GEPs alone, outermost first in Steps; or nullptr.
GlobalVariable *rootOf(Value *Address, SmallVectorImpl<GetElementPtrInst *> &Steps) {
  while (auto *Step = dyn_cast<GetElementPtrInst>(Address)) {
    Steps.push_back(Step);
    Address = Step->getPointerOperand();
  }
  auto *Call = dyn_cast<IntrinsicInst>(Address);
  if (!Call || Call->getIntrinsicID() != Intrinsic::threadlocal_address)
    return nullptr;
  return dyn_cast<GlobalVariable>(Call->getArgOperand(0));
}

// As the linker knows it. Constraint "i" takes no symbol that may come from another module, so that one is named in the
// text.
Value *threadPointerPlus(IRBuilderBase &B, GlobalVariable &Variable) {
  bool IsOperand = Variable.hasLocalLinkage();
  std::string Text =
      "movq %fs:0, $0\n\taddq " + (IsOperand ? "${1:c}" : Variable.getName().str()) + "@GOTTPOFF(%rip), $0";
  SmallVector<Value *, 1> Operands;
  if (IsOperand)
    Operands.push_back(&Variable);
  auto *Type = FunctionType::get(B.getPtrTy(), SmallVector<llvm::Type *, 1>(Operands.size(), B.getPtrTy()), false);
  StringRef Constraints = IsOperand ? "=r,i,~{dirflag},~{fpsr},~{flags}" : "=r,~{dirflag},~{fpsr},~{flags}";
  return B.CreateCall(InlineAsm::get(Type, Text, Constraints, /*hasSideEffects=*/true), Operands);
}

bool isPlainName(StringRef Name) {
  return !Name.empty() && all_of(Name, [](char C) { return isAlnum(C) || C == '_' || C == '.'; });
}

} // namespace

namespace csp {

Value *addressNow(IRBuilderBase &B, Value *Address) {
  SmallVector<GetElementPtrInst *, 4> Steps;
  GlobalVariable *Root = rootOf(Address, Steps);
  if (!Root || !isStatic(*Root) || !isPlainName(Root->getName()))
    return Address;
  Value *Now = threadPointerPlus(B, *Root);
  for (GetElementPtrInst *Step : reverse(Steps)) {
    Instruction *Again = Step->clone();
    Again->setOperand(0, Now);
    Now = B.Insert(Again);
  }
  return Now;
}

} // namespace csp
