// Counter.h - what each optimisation did to a module: counters that work in every build, printed by -mllvm -csp-stats.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why not llvm::Statistic: it counts nothing in a compiler built without assertions, as distributions build them.
// Compilers that run several compilations in threads of one process would mix their counts; what a counter says steers
// nothing.
#ifndef CSP_PASS_COUNTER_H
#define CSP_PASS_COUNTER_H

#include <atomic>
#include <cstdint>

namespace csp {

class Counter {
public:
  Counter(const char *Name, const char *Text);
  void operator++() { Value.fetch_add(1, std::memory_order_relaxed); } // relaxed: nothing is ordered by it

  // Prints those that are not zero, one to a line, and sets all to zero; nothing unless asked for.
  static void print(const char *Module);

private:
  const char *Name, *Text;
  std::atomic<uint64_t> Value{0};
  Counter *Next;
};

} // namespace csp

#define CSP_COUNTER(Name, Text) static csp::Counter Name(#Name, Text)

#endif
