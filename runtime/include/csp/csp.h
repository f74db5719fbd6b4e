// csp.h - all of cspthread: coroutines, channels, select, sync, time, context, groups, signals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_CSP_H
#define CSP_CSP_H

#include "chan.h"
#include "context.h"
#include "errno.h"
#include "go.h"
#include "group.h"
#include "inside.h"
#include "io.h"
#include "leak.h"
#include "map.h"
#include "select.h"
#include "signal.h"
#include "sync.h"
#include "time.h"
#include "typed.h"
#include "typed_map.h"

#endif
