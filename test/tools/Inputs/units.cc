// units.cc - googletest: one test races under every schedule, one fails under some, the others are clean.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <gtest/gtest.h>

namespace
{

int counter;

void increment(void *done)
{
    counter++;
    csp_wg_done(static_cast<csp_wg *>(done));
}

void run_two(void (*fn)(void *))
{
    csp_wg done = {};
    csp_wg_add(&done, 2);
    csp_go(fn, &done);
    csp_go(fn, &done);
    csp_wg_wait(&done);
}

TEST(Counter, Races)
{
    run_two(increment);
}

TEST(Counter, Ordered)
{
    run_two([](void *done) { csp_wg_done(static_cast<csp_wg *>(done)); });
}

TEST(Order, IsNotThatOfCreation)
{
    static csp_chan *order;
    order = csp_chan_new(sizeof(int), 2);
    csp_go([](void *) { csp_send(order, &(const int &)1); }, nullptr);
    csp_go([](void *) { csp_send(order, &(const int &)2); }, nullptr);
    int first, second;
    csp_recv(order, &first);
    csp_recv(order, &second);
    csp_chan_free(order);
    EXPECT_EQ(first, 1);
}

TEST(Order, DISABLED_Never)
{
    FAIL();
}

class Sizes : public testing::TestWithParam<int>
{
};

TEST_P(Sizes, Fit)
{
    csp_chan *c = csp_chan_new(sizeof(int), (size_t)GetParam());
    csp_chan_free(c);
}

INSTANTIATE_TEST_SUITE_P(All, Sizes, testing::Values(1, 2));

} // namespace
