// CxxRuntime.cpp - calls of the C++ runtime that order threads by atomics of its own: the detector is told of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Function-local statics, and the reference counts of exceptions that std::exception_ptr carries between threads (a
// std::future does). Told here rather than by interceptors, which a statically linked libstdc++ would not meet.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/Instrumentation.h"

using namespace llvm;

CSP_COUNTER(NumCxxRuntimeCalls, "calls of the C++ runtime told of");

namespace {

struct Told {
  StringRef Entry;
  unsigned Args; // the callee's first ones, handed on
  bool After;
};

Told toldOf(const CallBase &Call) {
  const Function *Callee = Call.getCalledFunction();
  if (!Callee || !Callee->isDeclaration())
    return {};
  Told T = StringSwitch<Told>(Callee->getName())
               .Case("__cxa_guard_acquire", Told{"__csp_cxx_guard_acquired", 1, true})
               .Case("__cxa_guard_release", Told{"__csp_cxx_guard_releasing", 1, false})
               .Case("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv",
                     Told{"__csp_cxx_exception_ptr_releasing", 1, false})
               .Case("__cxa_end_catch", Told{"__csp_cxx_end_catch", 0, false})
               .Default(Told{});
  return Call.arg_size() >= T.Args ? T : Told{};
}

} // namespace

namespace csp {

bool isCxxRuntimeCall(const CallBase &Call) {
  Told T = toldOf(Call);
  return !T.Entry.empty() && (!T.After || !Call.isTerminator());
}

void tellCxxRuntimeCall(RuntimeAbi &Abi, CallBase &Call, SmallVectorImpl<CallBase *> &Calls) {
  ++NumCxxRuntimeCalls;
  Told T = toldOf(Call);
  InstrumentationIRBuilder B(T.After ? Call.getNextNode() : &Call);
  SmallVector<Value *, 1> Args(Call.arg_begin(), Call.arg_begin() + T.Args);
  Calls.push_back(Abi.call(B, Abi.function(T.Entry), Args));
}

} // namespace csp
