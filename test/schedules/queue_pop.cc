// queue_pop.cc - a queue that locks in each method: not empty, so take one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: between the question and the taking somebody else takes the last one; the exception ends the program.
// Order: both find one item, both take it.
// Depth: 2. Shows as: crash.
// Source: interfaces of thread-safe containers; SCTBench stack_bad, queue_bad.
#include <csp/csp.h>

#include <deque>
#include <mutex>
#include <stdexcept>

class queue
{
  public:
    bool empty()
    {
        std::lock_guard<std::mutex> guard(lock);
        return items.empty();
    }
    int pop()
    {
        std::lock_guard<std::mutex> guard(lock);
        if (items.empty())
            throw std::out_of_range("pop of an empty queue");
        int item = items.front();
        items.pop_front();
        return item;
    }
    bool try_pop(int &item)
    {
        std::lock_guard<std::mutex> guard(lock);
        if (items.empty())
            return false;
        item = items.front();
        items.pop_front();
        return true;
    }
    void push(int item)
    {
        std::lock_guard<std::mutex> guard(lock);
        items.push_back(item);
    }

  private:
    std::mutex lock;
    std::deque<int> items;
};

static queue jobs;
static csp_wg both;

static void run_job()
{
#ifdef FIXED
    int job;
    jobs.try_pop(job);
#else
    if (!jobs.empty())
        jobs.pop();
#endif
    csp_wg_done(&both);
}

int main()
{
    jobs.push(1);
    csp_wg_add(&both, 2);
    CSP_GO(run_job);
    CSP_GO(run_job);
    csp_wg_wait(&both);
    return 0;
}
