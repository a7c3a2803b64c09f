// The calling-context tree: same paths same ids, recursion folds, readers get what is new.
#include "runtime/src/probe/definitions.hpp"

#include <gtest/gtest.h>

namespace coroscope::probe {
namespace {

std::source_location here(std::source_location where = std::source_location::current()) { return where; }

TEST(Definitions, SamePathSameNode) {
    Definitions all;
    const auto task_site = here();
    const auto await_site = here();
    const NodeId task = all.intern_node(0, task_site, NodeKind::task);
    const NodeId call = all.intern_node(task, await_site, NodeKind::call);
    EXPECT_NE(task, call);
    EXPECT_EQ(all.intern_node(0, task_site, NodeKind::task), task);
    EXPECT_EQ(all.intern_node(task, await_site, NodeKind::call), call);
    EXPECT_NE(all.intern_node(0, await_site, NodeKind::call), call);
    const auto path = all.path(call);
    ASSERT_EQ(path.size(), 2u);
    EXPECT_EQ(path[0].kind, NodeKind::call);
    EXPECT_EQ(all.site(path[0].site).line, await_site.line());
    EXPECT_EQ(path[1].kind, NodeKind::task);
}

TEST(Definitions, RecursionFolds) {
    Definitions all;
    const auto own = here();
    const auto await = here();
    NodeId frame = all.intern_node(0, own, NodeKind::task);
    NodeId deepest = 0;
    std::size_t distinct = 0;
    for (int i = 0; i < 1000; ++i) {
        const NodeId call = all.intern_node(frame, await, NodeKind::call);
        frame = all.intern_node(call, own, NodeKind::frame);
        if (frame > deepest) {
            deepest = frame;
            ++distinct;
        }
    }
    EXPECT_LE(distinct, 2u);
    EXPECT_LE(all.path(frame).size(), 6u);
}

// A task that starts its successor, for ever.
TEST(Definitions, AChainOfTasksFolds) {
    Definitions all;
    const auto own = here();
    const auto create = here();
    NodeId task = all.intern_node(0, own, NodeKind::task);
    for (int i = 0; i < 1000; ++i)
        task = all.intern_node(all.intern_node(task, create, NodeKind::call), own, NodeKind::task);
    Definitions::Cursor cursor;
    Definitions::News news;
    all.read_since(cursor, news);
    EXPECT_LT(news.nodes.size(), 10u);
}

TEST(Definitions, ReadersGetWhatIsNew) {
    Definitions all;
    all.intern_node(0, here(), NodeKind::call);
    Definitions::Cursor cursor;
    Definitions::News news;
    all.read_since(cursor, news);
    EXPECT_EQ(news.sites.size(), 1u);
    EXPECT_EQ(news.nodes.size(), 1u);
    all.read_since(cursor, news);
    EXPECT_TRUE(news.sites.empty() && news.nodes.empty());
    const NameId name = all.intern_name("worker");
    EXPECT_EQ(all.intern_name("worker"), name);
    all.read_since(cursor, news);
    ASSERT_EQ(news.names.size(), 1u);
    EXPECT_EQ(news.names[0], "worker");
    EXPECT_EQ(all.name(name), "worker");
}

TEST(Definitions, NamesAreBounded) {
    Definitions all;
    for (std::size_t i = 0; i < Definitions::max_names; ++i) ASSERT_NE(all.intern_name(std::to_string(i)), 0u);
    EXPECT_EQ(all.intern_name("one too many"), 0u);
    EXPECT_NE(all.intern_name("7"), 0u);
}

TEST(Definitions, TheCacheOfAThreadAgreesWithTheTable) {
    const auto site = here();
    const NodeId first = intern_node(0, site, NodeKind::call);
    EXPECT_EQ(intern_node(0, site, NodeKind::call), first);
    EXPECT_NE(intern_node(first, site, NodeKind::frame), first);
}

}  // namespace
}  // namespace coroscope::probe
