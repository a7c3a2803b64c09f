// Channels: closed by their senders, and by there being nobody to receive.
#include "coroscope/channel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

Coro<> send_numbers(Sender<int> sender, int count) {
    for (int i = 0; i < count; ++i) co_await sender.send(i);
}
Coro<std::vector<int>> receive_all(Receiver<int> receiver) {
    std::vector<int> all;
    while (const std::optional<int> item = co_await receiver.next()) all.push_back(*item);
    co_return all;
}

CORO_TEST(Channel, EndsWhenItsSenderHasEndedAndAllIsReceived) {
    auto [sender, receiver] = make_channel<int>(2);
    auto sending = create_task(send_numbers(std::move(sender), 5));
    EXPECT_EQ(co_await receive_all(std::move(receiver)), (std::vector<int>{0, 1, 2, 3, 4}));
    co_await sending;
}

CORO_TEST(Channel, EndsWithTheLastOfItsSenders) {
    auto [sender, receiver] = make_channel<int>();
    auto one = create_task(send_numbers(sender, 2));
    auto two = create_task(send_numbers(std::move(sender), 3));
    EXPECT_EQ((co_await receive_all(std::move(receiver))).size(), 5u);
    co_await gather(one, two);
}

CORO_TEST(Channel, ASenderThatFailsClosesIt) {
    auto [sender, receiver] = make_channel<int>();
    const auto fail = [](Sender<int> end) -> Coro<> {
        co_await end.send(1);
        throw FirstError("broken");
    };
    auto failing = create_task(fail(std::move(sender)));
    EXPECT_EQ(co_await receive_all(std::move(receiver)), (std::vector<int>{1}));
    EXPECT_TRUE(co_await thrown<FirstError>(awaiting(failing)));
}

CORO_TEST(Channel, WithoutAReceiverSendingIsAnError) {
    auto [sender, receiver] = make_channel<int>(1);
    co_await sender.send(1);
    auto waiting = create_task(sender.send(2));  // it is full
    co_await turns();
    receiver.close();
    EXPECT_TRUE(co_await thrown<ChannelClosed>(awaiting(waiting)));
    EXPECT_TRUE(co_await thrown<ChannelClosed>(sender.send(3)));
    EXPECT_THROW(sender.try_send(4), ChannelClosed);
}

CORO_TEST(Channel, AClosedEndIsClosed) {
    auto [sender, receiver] = make_channel<int>();
    sender.close();
    sender.close();
    EXPECT_TRUE(co_await thrown<ChannelClosed>(sender.send(1)));
    EXPECT_EQ(co_await receiver.next(), std::nullopt);
    receiver.close();
    EXPECT_EQ(co_await receiver.next(), std::nullopt);
}

CORO_TEST(Channel, SeveralReceiversShareTheItems) {
    auto [sender, receiver] = make_channel<int>(4);
    auto one = create_task(receive_all(receiver)), two = create_task(receive_all(std::move(receiver)));
    co_await send_numbers(std::move(sender), 100);
    const auto [a, b] = co_await gather(one, two);
    EXPECT_EQ(a.size() + b.size(), 100u);
}

CORO_TEST(Channel, CarriesWhatOnlyMoves) {
    auto [sender, receiver] = make_channel<std::unique_ptr<int>>(1);
    EXPECT_TRUE(sender.try_send(std::make_unique<int>(5)));
    EXPECT_FALSE(sender.try_send(std::make_unique<int>(6)));
    const auto item = co_await receiver.next();
    EXPECT_EQ(**item, 5);
}

}  // namespace
}  // namespace coroscope::test
