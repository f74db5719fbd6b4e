// RuntimeAbi.cpp - turns the C prototypes of rtl/abi.inc into LLVM declarations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// There is one truth: abi.inc. Its prototypes are declared here as C++ functions, and the LLVM types and attributes are
// computed from the C++ types, so that an entry cannot have one signature in rtl and another in compiled code.
#include "RuntimeAbi.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ErrorHandling.h"

#include <cstddef>
#include <cstdint>

using namespace llvm;

static cl::opt<bool> ClLocalExec("csp-local-exec", cl::init(true), cl::ZeroOrMore,
                                 cl::desc("Code for executables knows where the detector's thread-locals are"));

namespace {

namespace prototypes {
using csp_u128 = unsigned __int128;
#define CSP_ABI_CALL(name, ret, params) [[maybe_unused]] ret name params;
#include "abi.inc"
} // namespace prototypes

template <typename T> struct AbiType {
  static Type *get(LLVMContext &C) { return IntegerType::get(C, sizeof(T) * 8); }
  // x86-64 callers extend integers narrower than a register's low half; clang's callees rely on it.
  static constexpr bool ZeroExtend = sizeof(T) < 4;
};
template <typename T> struct AbiType<T *> {
  static Type *get(LLVMContext &C) { return PointerType::get(C, 0); }
  static constexpr bool ZeroExtend = false;
};
template <> struct AbiType<void> {
  static Type *get(LLVMContext &C) { return Type::getVoidTy(C); }
  static constexpr bool ZeroExtend = false;
};

struct Entry {
  FunctionType *(*MakeType)(LLVMContext &);
  AttributeList (*MakeAttributes)(LLVMContext &);
  CallingConv::ID Convention;
};

template <typename Fn> struct AbiFunction;
template <typename Ret, typename... Params> struct AbiFunction<Ret(Params...)> {
  static FunctionType *type(LLVMContext &C) {
    return FunctionType::get(AbiType<Ret>::get(C), {AbiType<Params>::get(C)...}, false);
  }
  static AttributeList attributes(LLVMContext &C) {
    AttributeList Attributes;
    Attributes = Attributes.addFnAttribute(C, Attribute::NoUnwind);
    Attributes = Attributes.addFnAttribute(C, Attribute::NonLazyBind);
    if (AbiType<Ret>::ZeroExtend)
      Attributes = Attributes.addRetAttribute(C, Attribute::ZExt);
    const bool Extends[] = {AbiType<Params>::ZeroExtend...};
    for (unsigned I = 0; I < sizeof...(Params); ++I)
      if (Extends[I])
        Attributes = Attributes.addParamAttribute(C, I, Attribute::ZExt);
    return Attributes;
  }
  static Entry entry(CallingConv::ID Convention) { return {type, attributes, Convention}; }
};

const StringMap<Entry> &entries() {
  static const StringMap<Entry> Table = [] {
    using Cold = AbiFunction<void(void *, void *)>;
    StringMap<Entry> T;
#define CSP_ABI_COLD(name, bytes, is_write, kind) T[#name] = Cold::entry(CallingConv::PreserveMost);
#define CSP_ABI_CALL(name, ret, params) T[#name] = AbiFunction<decltype(prototypes::name)>::entry(CallingConv::C);
#include "abi.inc"
    return T;
  }();
  return Table;
}

Type *threadLocalType(LLVMContext &C, StringRef Name) {
#define CSP_ABI_TLS(type, name)                                                                                        \
  if (Name == #name)                                                                                                   \
    return AbiType<type>::get(C);
#include "abi.inc"
  report_fatal_error("cspthread: abi.inc has no thread-local " + Name);
}

} // namespace

namespace csp {

FunctionCallee RuntimeAbi::function(StringRef Name) {
  auto Found = entries().find(Name);
  if (Found == entries().end())
    report_fatal_error("cspthread: abi.inc has no entry " + Name);
  const Entry &E = Found->second;
  LLVMContext &C = M.getContext();
  FunctionCallee Callee = M.getOrInsertFunction(Name, E.MakeType(C), E.MakeAttributes(C));
  if (auto *F = dyn_cast<Function>(Callee.getCallee()))
    F->setCallingConv(E.Convention);
  return Callee;
}

FunctionCallee RuntimeAbi::coldEntry(unsigned Bytes, bool IsWrite, bool MayStraddle) {
  bool Unaligned = MayStraddle && Bytes > 1 && Bytes <= 8;
  return function(
      (Twine("__csp_") + (Unaligned ? "unaligned_" : "") + (IsWrite ? "write" : "read") + Twine(Bytes)).str());
}

bool RuntimeAbi::hasColdEntry(uint64_t Bytes) {
  return isPowerOf2_64(Bytes) && Bytes <= 64;
}

// The executable has the detector in it: its code reaches the detector's thread-locals by an offset that the linker knows, without
// loading that first. Code that may be a library's cannot.
static bool isForExecutable(const Module &M) {
  return ClLocalExec && (M.getPICLevel() == PICLevel::NotPIC || M.getPIELevel() != PIELevel::Default);
}

GlobalVariable *RuntimeAbi::threadLocal(StringRef Name) {
  if (GlobalVariable *Existing = M.getNamedGlobal(Name))
    return Existing;
  auto *Variable = new GlobalVariable(M, threadLocalType(M.getContext(), Name), false, GlobalValue::ExternalLinkage,
                                      nullptr, Name, nullptr, GlobalValue::InitialExecTLSModel);
  if (isForExecutable(M)) {
    Variable->setThreadLocalMode(GlobalValue::LocalExecTLSModel);
    Variable->setDSOLocal(true);
  }
  return Variable;
}

CallInst *RuntimeAbi::call(IRBuilderBase &B, FunctionCallee Callee, ArrayRef<Value *> Args) {
  CallInst *Call = B.CreateCall(Callee, Args);
  if (auto *F = dyn_cast<Function>(Callee.getCallee())) {
    Call->setCallingConv(F->getCallingConv());
    Call->setAttributes(F->getAttributes());
  }
  Call->addFnAttr(Attribute::NoMerge);
  return Call;
}

} // namespace csp
