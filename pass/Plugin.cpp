// Plugin.cpp - tells LLVM where our passes run; the Clang half registers itself in SiteAction.cpp.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RacePass.h"

#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"

using namespace llvm;

namespace {

void registerPasses(PassBuilder &PB) {
  PB.registerPipelineStartEPCallback(
      [](ModulePassManager &MPM, OptimizationLevel) { MPM.addPass(csp::SitePass()); });
  PB.registerOptimizerLastEPCallback([](ModulePassManager &MPM, OptimizationLevel, ThinOrFullLTOPhase Phase) {
    bool BeforeLink = Phase == ThinOrFullLTOPhase::ThinLTOPreLink || Phase == ThinOrFullLTOPhase::FullLTOPreLink;
    MPM.addPass(csp::RacePass(BeforeLink));
  });
  // For opt: -passes=csp-sites,csp-race
  PB.registerPipelineParsingCallback(
      [](StringRef Name, ModulePassManager &MPM, ArrayRef<PassBuilder::PipelineElement>) {
        if (Name == "csp-sites")
          MPM.addPass(csp::SitePass());
        else if (Name == "csp-race")
          MPM.addPass(csp::RacePass());
        else if (Name == "csp-race-before-link")
          MPM.addPass(csp::RacePass(/*BeforeLink=*/true));
        else
          return false;
        return true;
      });
}

} // namespace

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "cspthread", "0.1", registerPasses, nullptr};
}
