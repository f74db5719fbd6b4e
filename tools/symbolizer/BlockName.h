// BlockName.h - what a byte of a heap block is called: "nodes[3].next", by what the source says where the block is allocated.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SYMBOLIZER_BLOCK_NAME_H
#define CSP_TOOLS_SYMBOLIZER_BLOCK_NAME_H

#include "VariableName.h"

#include "llvm/DebugInfo/DIContext.h"

namespace csp
{

// A line of the compiler plugin's notes (pass/BlockTypes.cpp), without its place.
struct BlockNote {
    char Count; // 1: one, n: an array, ?: at least one, p: the call's result is handed on to the caller
    uint64_t ElementSize;
    uint64_t Before; // bytes before the first element
    bool IsRecord;
    std::string Type;
    std::string Variable; // empty: not known
};

struct Block {
    uint64_t Size, Offset, Bytes;
    // --- found so far
    std::optional<BlockNote> Note;
    llvm::DWARFContext *Context = nullptr;
    uint64_t PC = 0; // of the call that the note is about
};

// Looks at the functions inlined at PC, innermost first. False: what they say is the last word, with a note or without.
bool addCallers(Block &B, llvm::DWARFContext &Context, const llvm::DIInliningInfo &Frames, uint64_t PC);
// Start is the offset in the block, File that of nothing.
std::optional<VariableName> nameInBlock(const Block &B);

} // namespace csp

#endif
