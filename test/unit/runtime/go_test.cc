// go_test.cc - starting coroutines: names, stack sizes, labels, typed arguments; what overflows says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "co.h"
#include "stack.h"

#include "child.h"

#include <csp/csp.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace
{

csp_wg done;

template <class F> void run_in_one(const csp_go_options *o, F body)
{
    struct Call {
        F *body;
        csp_wg done;
    } call = {&body, {}};
    csp_wg_add(&call.done, 1);
    csp_go_with(
        o,
        [](void *p) {
            auto *c = static_cast<Call *>(p);
            (*c->body)();
            csp_wg_done(&c->done);
        },
        &call);
    csp_wg_wait(&call.done);
}

TEST(Go, NameIsCopiedAndCut)
{
    expect_ok([] {
        char name[200] = "mailer";
        const csp_go_options o = {name, 0, false};
        run_in_one(&o, [&] {
            name[0] = 'x';
            EXPECT_STREQ(cspi_co_name(cspi_self()), "mailer");
        });
        memset(name, 'n', sizeof name - 1);
        run_in_one(&o, [] { EXPECT_EQ(strlen(cspi_co_name(cspi_self())), CSPI_NAME_SPACE - 1); });
        run_in_one(nullptr, [] { EXPECT_EQ(cspi_co_name(cspi_self()), nullptr); });
    });
}

int use_stack(size_t bytes)
{
    volatile char frame[4096];
    frame[0] = 1;
    return bytes > 5000 ? use_stack(bytes - 4500) + frame[0] : 0;
}

TEST(Go, StackIsAsBigAsAskedFor)
{
    expect_ok([] {
        for (size_t size : {size_t{16} << 10, size_t{1} << 20, size_t{64} << 20}) {
            const csp_go_options o = {nullptr, size, true};
            run_in_one(&o, [&] {
                EXPECT_EQ(cspi_stack_size(cspi_self()), size);
                EXPECT_TRUE(cspi_self()->daemon);
                use_stack(size - 8192);
            });
        }
    });
}

TEST(Go, LabelsAreInheritedAndOnesOwn)
{
    expect_ok([] {
        EXPECT_EQ(csp_label("request"), nullptr);
        csp_label_set("request", "7");
        csp_label_set("user", "ann");
        run_in_one(nullptr, [] {
            EXPECT_STREQ(csp_label("request"), "7");
            csp_label_set("request", "8");
            csp_label_set("user", nullptr);
            csp_label_set("nobody", nullptr);
            EXPECT_STREQ(csp_label("request"), "8");
            EXPECT_EQ(csp_label("user"), nullptr);
            run_in_one(nullptr, [] { EXPECT_STREQ(csp_label("request"), "8"); });
        });
        EXPECT_STREQ(csp_label("request"), "7");
        EXPECT_STREQ(csp_label("user"), "ann");
        csp_label_set("request", nullptr);
        EXPECT_EQ(csp_label("request"), nullptr);
        EXPECT_STREQ(csp_label("user"), "ann");
    });
}

void take(std::string text, std::shared_ptr<int> p, double d)
{
    EXPECT_EQ(text, "text");
    EXPECT_EQ(*p, 5);
    EXPECT_EQ(d, 2);
    csp_wg_done(&done);
}

TEST(Go, TypedArgumentsInCpp)
{
    expect_ok([] {
        auto p = std::make_shared<int>(5);
        csp_wg_add(&done, 1);
        CSP_GO(take, "text", p, 2);
        csp_wg_wait(&done);
        while (csp_count() > 1)
            csp_yield();
        EXPECT_EQ(p.use_count(), 1); // the closure went with the coroutine
    });
}

} // namespace
