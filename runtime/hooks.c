// hooks.c - the table that stands until a detector puts its own there: functions that do nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hooks.h"

#if CSP_HOOKS

#pragma clang diagnostic ignored "-Wunused-parameter" // one definition serves every signature

#define DEFINE_NOTHING(ret, name, params, args, value)                                                                 \
    static ret nothing_##name params                                                                                   \
    {                                                                                                                  \
        return value;                                                                                                  \
    }
CSP_HOOK_TABLE(DEFINE_NOTHING)
#undef DEFINE_NOTHING

static const csp_hook_table nothing = {
#define NOTHING_FIELD(ret, name, params, args, value) .name = nothing_##name,
    CSP_HOOK_TABLE(NOTHING_FIELD)
#undef NOTHING_FIELD
};

bool cspi_controlled;
const csp_hook_table *cspi_hooks = &nothing;
const csp_runtime_view *cspi_runtime_view;

#endif
