// Sites.cpp - lowers the site markers that SiteAction put into the AST to stores of the thread-local __csp_site.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   %a = call T @__csp_site.N(T %x, ptr @text, ptr @file, i32 line, i32 column)
// becomes
//   store ptr @csp.site, ptr @__csp_site                 %a replaced by %x
//
// with one private constant {file, text, line, column} (struct csp_site) per different site. A marker with four
// operands, `call void @__csp_site.N(text, file, line, column)`, has no value to pass through. The store is volatile:
// the callee that takes the site may be declared to read no memory.
#include "Counter.h"
#include "RacePass.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <dlfcn.h>

using namespace llvm;

CSP_COUNTER(NumSites, "call sites recorded");

namespace {

class SiteLowering {
public:
  explicit SiteLowering(Module &M) : M(M), Abi(M) {}

  bool run() {
    SmallVector<Function *, 8> Markers;
    for (Function &F : M)
      if (csp::isSiteMarker(F))
        Markers.push_back(&F);
    for (Function *Marker : Markers) {
      for (User *U : make_early_inc_range(Marker->users()))
        lower(*cast<CallBase>(U));
      Marker->eraseFromParent();
    }
    return !Markers.empty();
  }

private:
  void lower(CallBase &Marker) {
    ++NumSites;
    bool HasValue = Marker.arg_size() == 5;
    IRBuilder<> B(&Marker);
    B.CreateAlignedStore(siteConstant(Marker, HasValue ? 1 : 0), Abi.threadLocal("__csp_site"), Align(8),
                         /*isVolatile=*/true);
    if (HasValue)
      Marker.replaceAllUsesWith(Marker.getArgOperand(0));
    if (auto *Invoke = dyn_cast<InvokeInst>(&Marker)) {
      B.CreateBr(Invoke->getNormalDest());
      Invoke->getUnwindDest()->removePredecessor(Invoke->getParent());
    }
    Marker.eraseFromParent();
  }

  GlobalVariable *siteConstant(CallBase &Marker, unsigned FirstOperand) {
    auto Operand = [&](unsigned I) { return cast<Constant>(Marker.getArgOperand(FirstOperand + I)); };
    Constant *Site = ConstantStruct::getAnon({Operand(1), Operand(0), Operand(2), Operand(3)});
    GlobalVariable *&Known = Sites[Site];
    if (!Known) {
      Known = new GlobalVariable(M, Site->getType(), true, GlobalValue::PrivateLinkage, Site, "csp.site");
      Known->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
      Known->setAlignment(Align(8));
      Known->setSection(
          "csp_sites"); // together, so that reports find the words of the source for a place (report_order.c)
    }
    return Known;
  }

  Module &M;
  csp::RuntimeAbi Abi;
  DenseMap<Constant *, GlobalVariable *> Sites;
};

bool isSiteAnnotation(const Value *Entry) {
  const auto *Fields = dyn_cast<ConstantStruct>(Entry);
  const auto *Text = Fields ? dyn_cast<GlobalVariable>(Fields->getOperand(1)->stripPointerCasts()) : nullptr;
  const auto *Bytes = Text && Text->hasInitializer() ? dyn_cast<ConstantDataArray>(Text->getInitializer()) : nullptr;
  return Bytes && Bytes->isCString() && Bytes->getAsCString() == csp::SiteAnnotation;
}

// The annotations that told SiteAction what to mark have served. Left in the module's list, they would keep every
// inlined wrapper alive as a function nobody calls.
bool dropSiteAnnotations(Module &M) {
  GlobalVariable *List = M.getNamedGlobal("llvm.global.annotations");
  auto *Entries = List && List->hasInitializer() ? dyn_cast<ConstantArray>(List->getInitializer()) : nullptr;
  if (!Entries)
    return false;
  SmallVector<Constant *, 16> Kept;
  for (Use &Entry : Entries->operands())
    if (!isSiteAnnotation(Entry))
      Kept.push_back(cast<Constant>(Entry));
  if (Kept.size() == Entries->getNumOperands())
    return false;
  if (!Kept.empty()) {
    auto *Type = ArrayType::get(Kept.front()->getType(), Kept.size());
    auto *Shorter = new GlobalVariable(M, Type, List->isConstant(), List->getLinkage(), ConstantArray::get(Type, Kept));
    Shorter->takeName(List);
    Shorter->setSection(List->getSection());
  }
  List->eraseFromParent();
  return true;
}

// Reports look for csp-symbolizer where the compiler that made the program had it, also when the installation was moved
// since it was built: beside this plugin's folder, lib/cspthread. Hidden: each linked file has its own.
bool noteTools(Module &M) {
  Dl_info Info;
  SmallString<256> Path;
  if (M.getNamedValue("__csp_tools") || !dladdr(reinterpret_cast<void *>(&noteTools), &Info) || !Info.dli_fname ||
      sys::fs::real_path(Info.dli_fname, Path))
    return false;
  for (int I = 0; I < 3; I++)
    sys::path::remove_filename(Path);
  sys::path::append(Path, "bin", "csp-symbolizer");
  Constant *Text = ConstantDataArray::getString(M.getContext(), Path);
  auto *Place = new GlobalVariable(M, Text->getType(), true, GlobalValue::WeakODRLinkage, Text, "__csp_tools");
  Place->setVisibility(GlobalValue::HiddenVisibility);
  return true;
}

} // namespace

namespace csp {

bool isSiteMarker(const Function &F) {
  StringRef Name = F.getName();
  Name.consume_front("\1");
  return F.isDeclaration() && Name.starts_with(SiteMarkerPrefix);
}

PreservedAnalyses SitePass::run(Module &M, ModuleAnalysisManager &) {
  bool Changed = SiteLowering(M).run();
  Changed |= dropSiteAnnotations(M);
  Changed |= noteTools(M);
  emitBlockTypes(M);
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

} // namespace csp
