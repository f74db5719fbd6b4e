// escape_test.cc - strings for other formats: bytes that are no UTF-8, markup, paths.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" {
#include "results/escape.h"
}

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace
{

std::string take(char *s)
{
    std::string text = s ? s : "(none)";
    free(s);
    return text;
}

std::string utf8(const char *s)
{
    return take(cspt_escape_utf8(s));
}

TEST(Escape, Utf8KeepsWhatIsGood)
{
    EXPECT_EQ(utf8(nullptr), "");
    EXPECT_EQ(utf8("a\tb\nc"), "a\tb\nc");
    for (const char *s : {"\u00e4", "\u20ac", "\U0001f600", "\ud7ff", "\U0010fffd", "\ue000"})
        EXPECT_EQ(utf8(s), s);
}

TEST(Escape, Utf8ReplacesWhatIsNot)
{
    const std::string bad = "\xef\xbf\xbd";
    EXPECT_EQ(utf8("a\xff"
                   "b"),
              "a" + bad + "b");
    EXPECT_EQ(utf8("\x80"), bad);
    EXPECT_EQ(utf8("\xc3"), bad);           // ends in the middle
    EXPECT_EQ(utf8("\xe2\x82"), bad + bad); // so does this
    EXPECT_EQ(utf8("\xc0\x80"), bad + bad); // overlong
    EXPECT_EQ(utf8("\xe0\x80\x80"), bad + bad + bad);
    EXPECT_EQ(utf8("\xed\xa0\x80"), bad + bad + bad);           // a surrogate
    EXPECT_EQ(utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad); // above U+10FFFF
    EXPECT_EQ(utf8("\xef\xbf\xbf"), bad + bad + bad);           // U+FFFF: not in XML
    EXPECT_EQ(utf8("\xf8\x88\x80\x80\x80").size(), 15u);
}

TEST(Escape, Utf8DropsColoursAndControls)
{
    EXPECT_EQ(utf8("\x1b[1;31mred\x1b[0m"), "red");
    EXPECT_EQ(utf8("a\x1b"
                   "b\x01"
                   "c\x7f"),
              "a?b?c?");
    EXPECT_EQ(utf8("a\r\nb\rc"), "a\nb?c");
    EXPECT_EQ(utf8("\x1b[12"), "?[12"); // no letter ends it
}

TEST(Escape, GitHub)
{
    EXPECT_EQ(take(cspt_escape_github_message("50%\r\na: b, c")), "50%25%0D%0Aa: b, c");
    EXPECT_EQ(take(cspt_escape_github_property("50%\na: b, c")), "50%25%0Aa%3A b%2C c");
}

TEST(Escape, Html)
{
    EXPECT_EQ(take(cspt_escape_html("a<b> & |x| `y` *z* __w__")),
              "a&lt;b&gt; &amp; &#124;x&#124; &#96;y&#96; &#42;z&#42; &#95;&#95;w&#95;&#95;");
}

TEST(Escape, Path)
{
    EXPECT_EQ(take(cspt_escape_path("/a b/c%d/\xc3\xa4+x.c")), "/a%20b/c%25d/%C3%A4%2Bx.c");
}

TEST(Escape, RelativePath)
{
    auto relative = [](const char *root, const char *file) { return take(cspt_relative_path(root, file)); };
    EXPECT_EQ(relative("/w", "/w/src/a.c"), "src/a.c");
    EXPECT_EQ(relative("/w/", "/w//src/./b/../a.c"), "src/a.c");
    EXPECT_EQ(relative("/w", "/wide/a.c"), "(none)");
    EXPECT_EQ(relative("/w", "/w"), "(none)");
    EXPECT_EQ(relative("/w", "/w/../x/a.c"), "(none)");
    EXPECT_EQ(relative("/", "/usr/include/a.h"), "usr/include/a.h");
    EXPECT_EQ(relative("/w", "src/a.c"), "src/a.c");
    EXPECT_EQ(relative("/w", "./src/../a.c"), "a.c");
    EXPECT_EQ(relative("/w", "../a.c"), "(none)");
    EXPECT_EQ(relative("/w", "a/../../b.c"), "(none)");
    EXPECT_EQ(relative("/w", "..a/b.c"), "..a/b.c");
    EXPECT_EQ(relative("/w", "/../w/a.c"), "a.c");
    EXPECT_EQ(relative("", "/a.c"), "(none)");
}

} // namespace
