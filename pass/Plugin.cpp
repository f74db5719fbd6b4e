// Plugin.cpp - tells LLVM where our passes run; the Clang half registers itself in SiteAction.cpp.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RacePass.h"

#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"

using namespace llvm;

namespace {

void registerPasses(PassBuilder &PB) {
  PB.registerPipelineStartEPCallback([](ModulePassManager &MPM, OptimizationLevel) { MPM.addPass(csp::SitePass()); });
  PB.registerVectorizerStartEPCallback([](FunctionPassManager &FPM, OptimizationLevel Level) {
    if (Level == OptimizationLevel::O0)
      return;
    FPM.addPass(LoopSimplifyPass()); // preheaders and exits of their own
    FPM.addPass(csp::LoopChecksPass());
  });
  PB.registerOptimizerLastEPCallback([](ModulePassManager &MPM, OptimizationLevel, ThinOrFullLTOPhase Phase) {
    bool BeforeLink = Phase == ThinOrFullLTOPhase::ThinLTOPreLink || Phase == ThinOrFullLTOPhase::FullLTOPreLink;
    MPM.addPass(csp::RacePass(BeforeLink));
  });
}

} // namespace

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "cspthread", "0.1", registerPasses, nullptr};
}
