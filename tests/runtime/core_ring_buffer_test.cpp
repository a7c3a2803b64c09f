// The ring that queues keep their items in, beside std::deque.
#include "coroscope/detail/ring_buffer.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace coroscope::detail {
namespace {

TEST(RingBuffer, DoesWhatADequeDoes) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        RingBuffer<std::string> ring;
        std::deque<std::string> deque;
        for (int step = 0; step < 2000; ++step) {
            const unsigned what = random() % (deque.size() > 40 ? 8 : 5);  // grows to some length, then swings
            std::string item = "an item that is too long to be kept in the string " + std::to_string(step);
            if (what < 3) {
                deque.push_back(item);
                ring.push_back(std::move(item));
            } else if (what == 3) {
                deque.push_front(item);
                ring.push_front(std::move(item));
            } else if (!deque.empty()) {
                ASSERT_EQ(ring.take_front(), deque.front()) << "seed " << seed << ", step " << step;
                deque.pop_front();
            }
            ASSERT_EQ(ring.size(), deque.size());
            ASSERT_EQ(ring.empty(), deque.empty());
        }
        while (!deque.empty()) {
            ASSERT_EQ(ring.take_front(), deque.front()) << "seed " << seed;
            deque.pop_front();
        }
    }
}

TEST(RingBuffer, DestroysWhatIsLeft) {
    const auto alive = std::make_shared<int>();
    {
        RingBuffer<std::shared_ptr<int>> ring;
        for (int i = 0; i < 20; ++i) ring.push_front(std::shared_ptr<int>(alive));
        ring.take_front();
        EXPECT_EQ(alive.use_count(), 20);
    }
    EXPECT_EQ(alive.use_count(), 1);
}

// Copied when the ring grows, because its move may throw; and the copy throws, too, when it is told to.
struct Brittle {
    explicit Brittle(int the_value) : value(the_value) { ++alive; }
    Brittle(const Brittle& other) : value(other.value) {
        if (copies_left == 0) throw std::runtime_error("no more copies");
        --copies_left;
        ++alive;
    }
    Brittle(Brittle&& other) noexcept(false) : value(other.value) { ++alive; }
    ~Brittle() { --alive; }
    int value;
    static inline int alive = 0;
    static inline int copies_left = 0;
};

TEST(RingBuffer, IsAsBeforeIfGrowingFails) {
    {
        RingBuffer<Brittle> ring;
        int next = 0;
        const auto put_until_it_grows = [&] {
            for (int i = 0; i < 100; ++i) ring.push_back(Brittle(next++));
        };
        Brittle::copies_left = 3;
        EXPECT_THROW(put_until_it_grows(), std::runtime_error);
        ASSERT_EQ(ring.size(), 8u);
        EXPECT_EQ(Brittle::alive, 8);
        Brittle::copies_left = 1000;
        ring.push_back(Brittle(8));
        for (int i = 0; i < 9; ++i) EXPECT_EQ(ring.take_front().value, i);
        EXPECT_TRUE(ring.empty());
    }
    EXPECT_EQ(Brittle::alive, 0);
}

}  // namespace
}  // namespace coroscope::detail
