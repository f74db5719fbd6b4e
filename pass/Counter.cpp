// Counter.cpp - the list of counters.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Counter.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

static cl::opt<bool> ClStats("csp-stats", cl::init(false),
                             cl::desc("Print what was checked and what was not, and why"));

static csp::Counter *First; // constructed before any code runs: files' statics link themselves in, in no certain order

namespace csp {

Counter::Counter(const char *Name, const char *Text) : Name(Name), Text(Text), Next(First) {
  First = this;
}

void Counter::print(const char *Module) {
  for (Counter *C = First; C; C = C->Next) {
    uint64_t N = C->Value.exchange(0, std::memory_order_relaxed); // relaxed: as above
    if (ClStats && N)
      errs() << "csp-stats: " << Module << ": " << format("%6lu", (unsigned long)N) << ' ' << C->Name << " - "
             << C->Text << '\n';
  }
}

} // namespace csp
