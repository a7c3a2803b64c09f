// The calling-context tree: same paths same ids, recursion folds, readers get what is new.
#include "runtime/src/probe/definitions.hpp"

#include <gtest/gtest.h>

#include <set>

#include "coroscope/emit.h"
#include "runtime/src/probe/hooks.hpp"
#include "runtime/src/probe/process_registry.hpp"
#include "runtime/src/probe/resource_table.hpp"

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
    add_runtime([](std::uint64_t) -> const char* { return "a test"; }, [] {}, [](const cs_stacks_writer&) {});
    const OnWithoutLibrary on;
    const auto site = here();
    const NodeId first = intern_node(0, site, NodeKind::call);
    EXPECT_NE(first, 0u);
    EXPECT_EQ(intern_node(0, site, NodeKind::call), first);
    EXPECT_NE(intern_node(first, site, NodeKind::frame), first);
    EXPECT_EQ(process_registry().definitions.intern_node(0, site, NodeKind::call), first);
}

// As adapters do: a place is an id, and an id makes a node.
TEST(Definitions, PlacesHaveIds) {
    Definitions all;
    const SiteId site = all.intern_site("main.<locals>.ab", "app.py", 7, 0, CS_SITE_LIBRARY);
    EXPECT_EQ(all.intern_site("main.<locals>.ab", "app.py", 7, 0, 0), site);
    const NodeId node = all.intern_node(0, site, NodeKind::task);
    EXPECT_EQ(all.intern_node(0, site, NodeKind::task), node);
    EXPECT_EQ(all.path(node).at(0).site, site);
    EXPECT_EQ(all.site(site).flags, static_cast<std::uint32_t>(CS_SITE_LIBRARY));
    EXPECT_EQ(readable_name(all.site(site)), "main.<locals>.ab") << "shown as given";
    EXPECT_EQ(readable_name({"void f(f()::_Z1fv.Frame*)", "f.cpp", 1, 1, CS_SITE_RAW_NAME}), "f");
}

TEST(Definitions, UnknownIdsAreNoNodes) {
    Definitions all;
    const SiteId site = all.intern_site("f", "f.c", 1, 0, 0);
    const NodeId node = all.intern_node(0, site, NodeKind::task);
    EXPECT_EQ(all.intern_node(node, 0, NodeKind::call), node);
    EXPECT_EQ(all.intern_node(node, site + 1, NodeKind::call), node);
    EXPECT_EQ(all.intern_node(node + 1, site, NodeKind::task), node) << "a parent that there is not counts as none";
    EXPECT_EQ(all.intern_node(node, site, static_cast<NodeKind>(0)), node);
    EXPECT_EQ(all.intern_node(node, site, static_cast<NodeKind>(4)), node);
    EXPECT_TRUE(all.path(node + 1).empty());
}

TEST(Definitions, ValuesAreInternedByTypeAndValue) {
    Definitions all;
    const ValueId text = all.intern_value(std::string("1"));
    EXPECT_EQ(all.intern_value(std::string("1")), text);
    const ValueId integer = all.intern_value(std::int64_t{1}), real = all.intern_value(1.0),
                  yes = all.intern_value(true);
    EXPECT_EQ((std::set<ValueId>{text, integer, real, yes}.size()), 4u);
    EXPECT_EQ(all.intern_value(std::int64_t{1}), integer);
    const ValueId longest = all.intern_value(std::string(Definitions::max_value_bytes, 'x'));
    EXPECT_EQ(all.intern_value(std::string(Definitions::max_value_bytes + 1, 'x')), longest);
}

TEST(ResourceTable, WhatIsClosedBeforeItIsTakenIsStillDefined) {
    ResourceTable table;
    ResourceTable::News news;
    ASSERT_TRUE(table.add({.id = 1, .name = "lives"}));
    ASSERT_TRUE(table.add({.id = 2, .name = "short-lived"}));
    table.close(2, 5);
    table.close(3, 5);  // never was
    table.take(news, false);
    ASSERT_EQ(news.defined.size(), 2u);
    ASSERT_EQ(news.closed.size(), 1u);
    EXPECT_EQ(news.closed[0].id, 2u);
    table.take(news, false);
    EXPECT_TRUE(news.defined.empty() && news.closed.empty());
    table.take(news, true);
    ASSERT_EQ(news.defined.size(), 1u);
    EXPECT_EQ(news.defined[0].name, "lives");
    table.close(1, 6);
    table.take(news, false);
    EXPECT_TRUE(news.defined.empty());
    EXPECT_EQ(news.closed.size(), 1u);
}

TEST(ResourceTable, IsBounded) {
    ResourceTable table;
    for (std::uint64_t id = 1; id <= ResourceTable::max_live; ++id) ASSERT_TRUE(table.add({.id = id}));
    EXPECT_FALSE(table.add({.id = ResourceTable::max_live + 1}));
    ResourceTable::News news;
    table.take(news, false);
    EXPECT_EQ(news.lost, 1u);
    table.close(7, 0);
    table.take(news, false);
    EXPECT_TRUE(table.add({.id = ResourceTable::max_live + 2}));
}

}  // namespace
}  // namespace coroscope::probe
