// The vocabulary is the only place that numbers things: the contracts have columns for its rows and no enumeration.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/ingest.pb.h"
#include "coroscope/v2/keyframe.pb.h"
#include "coroscope/v2/observe.pb.h"
#include "coroscope/v2/session.pb.h"
#include "coroscope/vocabulary.hpp"

namespace coroscope {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

std::string all_enums(const Descriptor& message) {
    std::string found;
    for (int i = 0; i < message.enum_type_count(); ++i) found += message.enum_type(i)->full_name() + " ";
    for (int i = 0; i < message.nested_type_count(); ++i) found += all_enums(*message.nested_type(i));
    return found;
}

TEST(Vocabulary, NoContractHasAnEnumerationOfItsOwn) {
    for (const FileDescriptor* file :
         {v2::Batch::descriptor()->file(), v2::Hello::descriptor()->file(), v2::Keyframe::descriptor()->file(),
          v2::AppMessage::descriptor()->file(), v2::WatchUpdate::descriptor()->file()}) {
        std::string found;
        for (int i = 0; i < file->enum_type_count(); ++i) found += file->enum_type(i)->full_name() + " ";
        for (int i = 0; i < file->message_type_count(); ++i) found += all_enums(*file->message_type(i));
        EXPECT_EQ(found, "") << file->name();
    }
}

const FieldDescriptor& field(const Descriptor* message, const std::string& name) {
    const FieldDescriptor* found = message->FindFieldByName(name);
    if (found == nullptr) throw std::runtime_error(message->name() + " has no field " + name);
    return *found;
}

// A column of the vocabulary is a column of the lane, of a type that holds what the record holds.
TEST(Vocabulary, ALaneHasTheColumnsThatKindsName) {
    const Descriptor* lane = v2::Lane::descriptor();
    EXPECT_EQ(field(lane, "kinds").type(), FieldDescriptor::TYPE_BYTES);
    EXPECT_EQ(field(lane, "subject_deltas").type(), FieldDescriptor::TYPE_SINT64);
    EXPECT_EQ(field(lane, "arguments").type(), FieldDescriptor::TYPE_UINT64);
    EXPECT_EQ(field(lane, "stacks").type(), FieldDescriptor::TYPE_UINT32);
    const Descriptor* kind = v2::KindDefinition::descriptor();
    EXPECT_EQ(field(kind, "subject").type(), FieldDescriptor::TYPE_UINT32);
    EXPECT_EQ(field(kind, "argument").type(), FieldDescriptor::TYPE_UINT32);
    EXPECT_EQ(field(kind, "stack").type(), FieldDescriptor::TYPE_BOOL);
    EXPECT_EQ(lane->field_count(), 7) << "a new column needs a bit in vocabulary::Column";
}

template <class Table, class Name>
void expect_distinct_names(const Table& table, Name name) {
    std::set<std::string> names;
    for (const auto& row : table) EXPECT_TRUE(names.insert(std::string(name(row))).second) << name(row);
}

TEST(Vocabulary, NamesAreDistinct) {
    const auto name = [](const auto& row) { return row.name; };
    expect_distinct_names(vocabulary::event_kinds, name);
    expect_distinct_names(vocabulary::verbs, name);
    expect_distinct_names(vocabulary::resource_types, name);
    expect_distinct_names(vocabulary::roles, name);
    expect_distinct_names(vocabulary::outcomes, name);
    expect_distinct_names(vocabulary::report_kinds, name);
}

TEST(Vocabulary, AVerbWithAnOperandSaysWhereItStandsInTheSentence) {
    for (const auto& row : vocabulary::verbs)
        EXPECT_EQ(row.words.find("{}") != std::string_view::npos,
                  row.operand != vocabulary::Operand::nothing && row.operand != vocabulary::Operand::due)
            << row.name;
}

TEST(Vocabulary, PackedValuesComeApartAgain) {
    const std::uint64_t wait = vocabulary::pack_wait(vocabulary::Verb::get, 1'000'000'007);
    EXPECT_EQ(vocabulary::verb_of(wait), static_cast<std::uint8_t>(vocabulary::Verb::get));
    EXPECT_EQ(vocabulary::operand_of(wait), 1'000'000'007u);
    const std::uint64_t use = vocabulary::pack_use(vocabulary::Role::notify, 77);
    EXPECT_EQ(vocabulary::role_of(use), static_cast<std::uint8_t>(vocabulary::Role::notify));
    EXPECT_EQ(vocabulary::task_of_use(use), 77u);
    const std::uint64_t attribute = vocabulary::pack_attribute(3, 4'000'000'000);
    EXPECT_EQ(vocabulary::key_of(attribute), 3u);
    EXPECT_EQ(vocabulary::value_of(attribute), 4'000'000'000u);
}

}  // namespace
}  // namespace coroscope
