// fd.h - file descriptors as a way to pass order: which sync object a descriptor's reads and writes go through.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors that lead to the same thing share one object: both ends of a pipe or socketpair, and all duplicates.
// Every other socket of the process shares one, since their peers are not known; files have one by device and inode.
// The clocks accumulate, so there may be more order than real, never less. Option io_sync: 0 none, 1 this, 2 one object
// for everything. All of it preserves errno, and does nothing for numbers below 0 and, in a child of vfork, to what the
// parent knows.
#ifndef CSP_RTL_FD_H
#define CSP_RTL_FD_H

// A number is also a thing of its own, which one task may give back while another one still uses it: a race as any other, on a
// word that stands for it. To use it is to read that word, to close it is to write it. dup2 onto it counts as a use: programs
// redirect what others go on writing to. After a close the word keeps its history: who then gets EBADF has met it.
#include "rtl.h"

#include <stdbool.h>

void cspr_fd_init(void);

// A new descriptor came out of the kernel: ordered after the close that gave the number back. Its object is found at
// its first use, from what fstat says.
void cspr_fd_opened(int fd, cspr_stack stack);
// As opened, with one object for the two of them (b < 0: for a alone).
void cspr_fd_opened_pair(int a, int b, cspr_stack stack);
// As opened, leading where `from` leads. is_replaced: fd was open before, and others may be using it.
void cspr_fd_opened_copy(int from, int fd, bool is_replaced, cspr_stack stack);
// Before the number is given back: whoever reads the end of file, and who gets the number next, comes after.
// stack 0: no race with its users, as closing that wakes them is allowed (csp_close_fd).
void cspr_fd_closing(int fd, cspr_stack stack);
// Before dup2 and its like, which may still fail: the order of closing, but the number stays what it is.
void cspr_fd_replacing(int fd, cspr_stack stack);

// Before a call with the number; after one that failed with EBADF.
void cspr_fd_used(int fd, cspr_stack stack);
void cspr_fd_was_bad(int fd, cspr_stack stack);

// Which number's word contains addr, and who made it; -1: none.
int cspr_fd_at(uintptr_t addr, cspr_who *creator, cspr_stack *creation);

void cspr_fd_acquire(int fd);
void cspr_fd_release(int fd);

// Whether another number leads where fd does: the other end of its pair, or a copy.
bool cspr_fd_has_other_end(int fd);

void cspr_fd_before_fork(void);
void cspr_fd_after_fork(bool in_child);

#endif
