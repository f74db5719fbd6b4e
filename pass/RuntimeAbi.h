// RuntimeAbi.h - what instrumented code calls and touches in the detector, as LLVM declarations made from rtl/abi.inc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_PASS_RUNTIMEABI_H
#define CSP_PASS_RUNTIMEABI_H

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace csp {

// Declares on first use, so that a module only names what it calls. A name that abi.inc does not list is a bug of ours
// and ends the compiler.
class RuntimeAbi {
public:
  explicit RuntimeAbi(llvm::Module &M) : M(M) {}

  // Any entry of abi.inc, with its calling convention, `nonlazybind` (rule C3) and the extension attributes the C ABI
  // asks for.
  llvm::FunctionCallee function(llvm::StringRef Name);

  // The cold entry of an access of 1, 2, 4, 8, 16, 32 or 64 bytes; MayStraddle chooses among the small ones.
  llvm::FunctionCallee coldEntry(unsigned Bytes, bool IsWrite, bool MayStraddle);
  static bool hasColdEntry(uint64_t Bytes);

  // A thread-local of abi.inc, initial-exec. It is always used directly as the pointer of a load or store: its address
  // is never a value of its own, since a coroutine may move between OS threads at any call (rule D6).
  llvm::GlobalVariable *threadLocal(llvm::StringRef Name);

  // Calls an entry with the convention and attributes of its declaration. Calls are never merged with equal ones: the
  // return address is the access.
  llvm::CallInst *call(llvm::IRBuilderBase &B, llvm::FunctionCallee Callee, llvm::ArrayRef<llvm::Value *> Args);

private:
  llvm::Module &M;
};

} // namespace csp
#endif
