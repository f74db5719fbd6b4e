// VariableName.h - what a byte of memory is called in the source: "table[3].next", from debug information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SYMBOLIZER_VARIABLE_NAME_H
#define CSP_TOOLS_SYMBOLIZER_VARIABLE_NAME_H

#include "llvm/DebugInfo/DWARF/DWARFContext.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace csp
{

struct VariableName {
    std::string Name; // of the variable
    std::string Path; // name, member and element that contain the bytes asked for
    uint64_t Start;   // of the variable; for a local one its offset from the frame's canonical address
    uint64_t Size;    // 0: not known
    std::string File; // of its declaration
    uint64_t Line = 0;
};

// Bytes [Address, Address + Size) of a global variable.
std::optional<VariableName> nameGlobal(llvm::DWARFContext &Context, uint64_t Address, uint64_t Size);
// Bytes at Offset from the canonical frame address of the function that executes PC.
std::optional<VariableName> nameLocal(llvm::DWARFContext &Context, uint64_t PC, int64_t Offset, uint64_t Size);
// Bytes at Offset in the module's thread-local block.
std::optional<VariableName> nameThreadLocal(llvm::DWARFContext &Context, uint64_t Offset, uint64_t Size);

// Appends to Path the members and elements that lead to bytes [Offset, Offset + Size) of the Type.
void appendPath(llvm::DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path);
// Whether it is a structure whose last member is an array without a size.
bool hasFlexibleArray(llvm::DWARFDie Type);
// Structures and type names called Name, of this size, in the unit. All of them where it is one.
std::vector<llvm::DWARFDie> typesCalled(llvm::DWARFUnit &Unit, const std::string &Name, uint64_t Size);

} // namespace csp

#endif
