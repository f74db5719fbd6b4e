// layout.h - the address map: which shadow word belongs to an application address, and how a cell is laid out.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read by rtl and by the pass (which emits the same arithmetic inline): plain constants only.
//
//   application word (8 bytes, address a)  ->  shadow pair (16 bytes) at  BASE | ((a & MASK) << 1)
//       +0  read cell      +8  write cell
//
//   shadow  0x2000'0000'0000 .. 0x4000'0000'0000   32 TB, reserved, committed by touching
//
// 44 address bits are kept, so two application mappings 16 TB apart share shadow; start-up checks that none do.
//
// A cell:   63            34 33      26  25 24         0
//          |  epoch id (30) | mask (8) | T | stack (25) |
//          |  SHARED        | mask     | 0 | read set   |    a read cell of bytes that several unordered tasks read (readset.h)
//          |  ASIDE         | record   | T | record     |    both cells: the word's history is in a side record (side.h)
//          |  epoch         | mask     | 1 | stack      |    a read cell that is a write: the rest of an older one (access_piece.c)
//
// T: somebody has taken this word and its three neighbours, whose cells share a line of the cache (shadow.h). Only the write cell
// of the first of them has it set; compiled code does not look at it. In a read cell the bit says that it is a rest.
#ifndef CSP_RTL_LAYOUT_H
#define CSP_RTL_LAYOUT_H

#define CSPR_SHADOW_BASE 0x200000000000ull
#define CSPR_SHADOW_SIZE 0x200000000000ull
#define CSPR_APP_MASK 0x00000ffffffffff8ull
#define CSPR_CELL_READ 0
#define CSPR_CELL_WRITE 8

#define CSPR_STACK_BITS 25
#define CSPR_TAKEN_SHIFT CSPR_STACK_BITS
#define CSPR_MASK_BITS 8
#define CSPR_EPOCH_BITS 30
// A read set's id is (group, variant): sets of one group have the same epochs and differ in stacks only.
#define CSPR_SET_VARIANT_BITS 4
#define CSPR_MASK_SHIFT (CSPR_TAKEN_SHIFT + 1)
#define CSPR_EPOCH_SHIFT (CSPR_MASK_SHIFT + CSPR_MASK_BITS)

// Reserved epoch ids. NOBODY is what __csp_current holds while its task has recorded nothing since its last release (and
// on threads the detector has not met yet): no cell ever holds it, so the inline check always fails then (rule A5).
#define CSPR_EPOCH_EMPTY 0u
#define CSPR_EPOCH_SHARED 2u
#define CSPR_EPOCH_ASIDE 3u
#define CSPR_EPOCH_NOBODY 4u
#define CSPR_EPOCH_FIRST 16u

#define CSPR_ABI_VERSION 3u
#endif
