// timeline_test.cc - interleavings as text: columns, arrows, lanes, widths, hostile bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "explore/source.h"
#include "replay/timeline.h"
}

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

std::string draw(std::vector<const char *> tasks, std::vector<cspt_step> steps, unsigned width, bool ascii = false,
                 bool color = false)
{
    cspt_timeline t = {tasks.data(), tasks.size(), steps.data(), steps.size(), width, ascii, color};
    char *text = cspt_timeline_draw(&t);
    std::string result = text;
    free(text);
    return result;
}

// Characters of the longest row.
size_t width_of(const std::string &text)
{
    size_t longest = 0;
    std::istringstream rows(text);
    for (std::string row; std::getline(rows, row);) {
        size_t n = 0;
        for (char c : row)
            n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
        longest = std::max(longest, n);
    }
    return longest;
}

const std::vector<cspt_step> kTwo = {
    {0, CSPT_TURN_STAYS, "q.c:30", "csp_go(worker, q);", nullptr, 1},
    {1, CSPT_TURN_SWITCHED, "q.c:12", "if (q->n == 0)", "read of size 4", 1},
    {0, CSPT_TURN_WAITS, "q.c:33", "q->n++;", "write of size 4", 1},
    {0, CSPT_TURN_STAYS, "q.c:34", "spin();", nullptr, 12},
};

TEST(Timeline, TwoColumns)
{
    EXPECT_EQ(draw({"T1 main", "T2 worker"}, kTwo, 80), R"( T1 main                               │ T2 worker
───────────────────────────────────────┼────────────────────────────────────────
 q.c:30 csp_go(worker, q);             │
 ╰─ switched ──────────────────────────┼─▶
                                       │ q.c:12 if (q->n == 0)  ◀ read of size 4
 ◀─────────────────────────────────────┼── waits ─╯
 q.c:33 q->n++;  ◀ write of size 4     │
 q.c:34 spin();  (12 times)            │
)");
}

TEST(Timeline, Ascii)
{
    EXPECT_EQ(draw({"T1 main", "T2 worker"}, kTwo, 80, true), R"( T1 main                               | T2 worker
---------------------------------------+----------------------------------------
 q.c:30 csp_go(worker, q);             |
 `- switched --------------------------+->
                                       | q.c:12 if (q->n == 0)  < read of size 4
 <-------------------------------------+-- waits -'
 q.c:33 q->n++;  < write of size 4     |
 q.c:34 spin();  (12 times)            |
)");
}

TEST(Timeline, FitsEveryWidth)
{
    std::string line(300, 'x');
    std::vector<cspt_step> steps = kTwo;
    steps[1].text = steps[2].text = line.c_str();
    for (unsigned width : {30u, 40u, 49u, 50u, 80u, 132u, 400u}) {
        std::string text = draw({"T1 main", "T2 worker"}, steps, width);
        EXPECT_LE(width_of(text), width);
        if (width >= 80)
            EXPECT_NE(text.find("write of size 4"), std::string::npos) << text; // notes are not what is cut
        EXPECT_NE(text.find("q.c:33"), std::string::npos) << text;
        EXPECT_NE(text.find("…"), std::string::npos);
    }
    EXPECT_LE(width_of(draw({"T1 main", "T2 worker"}, steps, 5)), 30u);
    EXPECT_LE(width_of(draw({"T1 main", "T2 worker"}, steps, 100000)), 400u);
}

TEST(Timeline, ArrowsPassColumns)
{
    std::vector<cspt_step> steps = {{0, CSPT_TURN_STAYS, "a:1", "x", nullptr, 1},
                                    {2, CSPT_TURN_ENDS, "a:2", "y", nullptr, 1},
                                    {1, CSPT_TURN_WAITS, "a:3", "z", nullptr, 1}};
    EXPECT_EQ(draw({"T1", "T2", "T3"}, steps, 80, true), R"( T1                       | T2                       | T3
--------------------------+--------------------------+--------------------------
 a:1 x                    |                          |
 `- ends -----------------+--------------------------+->
                          |                          | a:2 y
                          | <------------------------+-- waits -'
                          | a:3 z                    |
)");
}

TEST(Timeline, ManyTasksAreLanes)
{
    std::vector<const char *> names = {"T1", "T2", "T3", "T4"};
    std::vector<cspt_step> steps = {{3, CSPT_TURN_STAYS, "a:1", "x", nullptr, 1},
                                    {0, CSPT_TURN_SWITCHED, "a:2", "y", "write", 1},
                                    {0, CSPT_TURN_STAYS, "a:3", "z", nullptr, 1}};
    EXPECT_EQ(draw(names, steps, 80, true), R"( | | | * T4:
 | | | *   a:1 x
 * | | | T1: (T4 switched)
 * | | |   a:2 y  < write
 * | | |   a:3 z
)");
    std::vector<const char *> crowd(500, "T");
    steps = {{499, CSPT_TURN_STAYS, "a:1", "x", nullptr, 1}};
    std::string text = draw(crowd, steps, 80);
    EXPECT_LE(width_of(text), 80u);
    EXPECT_NE(text.find("a:1 x"), std::string::npos);
}

TEST(Timeline, HostileText)
{
    std::vector<cspt_step> steps = {{0, CSPT_TURN_STAYS, "a\x1b[31m:1", "b\tc\n\xff\xc3(d", "\x80\xf8", 1},
                                    {0, CSPT_TURN_STAYS, nullptr, nullptr, nullptr, 0}};
    std::string text = draw({"T1\n"}, steps, 80);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    const char expected[] = {'b', ' ', 'c', '?', '?', '?', '(', 'd', 0}; // no trigraph
    EXPECT_NE(text.find(expected), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
    EXPECT_EQ(draw({"T1"}, {}, 80), draw({"T1"}, {}, 80));
    EXPECT_EQ(draw({}, {}, 80).find('x'), std::string::npos);
    EXPECT_NE(draw({"größe"}, {}, 80).find("größe"), std::string::npos);
    EXPECT_NE(draw({"größe"}, {}, 80, true).find("gr??e"), std::string::npos);
}

TEST(Timeline, ColorsEnd)
{
    std::string text = draw({"T1 main", "T2 worker"}, kTwo, 80, false, true);
    EXPECT_NE(text.find("\033[31m"), std::string::npos);
    std::istringstream rows(text);
    for (std::string row; std::getline(rows, row);) {
        size_t last = row.rfind("\033[");
        if (last != std::string::npos)
            EXPECT_EQ(row.substr(last, 4), "\033[0m") << row;
    }
}

TEST(Source, Lines)
{
    char path[] = "/tmp/source_test.XXXXXX";
    int fd = mkstemp(path);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "one\n\t two  \r\n\nlast", 18), 18);
    close(fd);
    EXPECT_STREQ(cspt_source_line(path, 1), "one");
    EXPECT_STREQ(cspt_source_line(path, 2), "two");
    EXPECT_STREQ(cspt_source_line(path, 3), "");
    EXPECT_STREQ(cspt_source_line(path, 4), "last");
    EXPECT_EQ(cspt_source_line(path, 5), nullptr);
    EXPECT_EQ(cspt_source_line(path, 0), nullptr);
    unlink(path);
    EXPECT_STREQ(cspt_source_line(path, 1), "one"); // read once
    cspt_source_forget();
    EXPECT_EQ(cspt_source_line(path, 1), nullptr);
    EXPECT_EQ(cspt_source_line("/", 1), nullptr);
    cspt_source_forget();
}

} // namespace
