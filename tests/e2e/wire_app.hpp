// An app's end of the wire, by hand: for what no real app would say, and for load with known figures.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/ingest.grpc.pb.h"
#include "coroscope/vocabulary.hpp"
#include "proto/address/protocol_version.hpp"
#include "proto/channel/channel.hpp"

namespace coroscope::e2e {

class WireApp {
public:
    explicit WireApp(const std::string& address) : stub_(v2::Ingest::NewStub(channel(address))) {
        stream_ = stub_->Attach(&context_);
    }
    ~WireApp() {
        if (finished_) return;
        context_.TryCancel();
        stream_->Finish();
    }
    WireApp(const WireApp&) = delete;
    WireApp& operator=(const WireApp&) = delete;

    static std::shared_ptr<grpc::Channel> channel(const std::string& address) {
        return open_channel(AgentAddress::parse(address), -1);
    }

    static v2::Hello hello(const std::string& name, const std::string& instance) {
        v2::Hello hello;
        hello.mutable_version()->set_major(protocol_major);
        hello.mutable_version()->set_minor(protocol_minor);
        hello.set_name(name);
        hello.set_pid(1);
        hello.set_instance(instance);
        hello.set_library("by hand");
        return hello;
    }

    bool write(const v2::AppMessage& message) { return stream_->Write(message); }
    bool say_hello(const v2::Hello& hello) {
        v2::AppMessage message;
        *message.mutable_hello() = hello;
        return write(message);
    }
    bool send(const v2::Batch& batch) {
        v2::AppMessage message;
        message.set_batch(batch.SerializeAsString());
        return write(message);
    }
    bool read(v2::AgentMessage& message) { return stream_->Read(&message); }
    // Hello and an accepted Welcome.
    bool attach(const std::string& name, const std::string& instance) {
        v2::AgentMessage answer;
        return say_hello(hello(name, instance)) && read(answer) && answer.welcome().accepted();
    }
    grpc::Status goodbye() {
        v2::AppMessage message;
        message.mutable_goodbye();
        write(message);
        return finish();
    }
    grpc::Status finish() {
        stream_->WritesDone();
        for (v2::AgentMessage rest; stream_->Read(&rest);) {
        }
        finished_ = true;
        return stream_->Finish();
    }

    // A batch in which `count` tasks, from id `first`, are created on thread 1 and wait at once.
    static v2::Batch tasks(std::uint64_t sequence, std::uint64_t first, std::uint64_t count) {
        v2::Batch batch;
        batch.set_sequence(sequence);
        v2::Lane& lane = *batch.add_lanes();
        lane.set_thread(1);
        lane.set_start_ns(sequence * 1'000'000);
        std::uint64_t last_task = 0;
        const auto event = [&](vocabulary::EventKind kind, std::uint64_t task) {
            lane.mutable_kinds()->push_back(static_cast<char>(kind));
            lane.add_time_deltas(10);
            lane.add_subject_deltas(static_cast<std::int64_t>(task - last_task));
            last_task = task;
        };
        for (std::uint64_t task = first; task < first + count; ++task) {
            event(vocabulary::EventKind::task_created, task);
            lane.add_arguments(0);
            lane.add_stacks(0);
            event(vocabulary::EventKind::step_begin, task);
            event(vocabulary::EventKind::step_end, task);
            lane.add_arguments(vocabulary::pack_wait(vocabulary::Verb::timer));
            lane.add_stacks(0);
        }
        return batch;
    }

private:
    std::unique_ptr<v2::Ingest::Stub> stub_;
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriter<v2::AppMessage, v2::AgentMessage>> stream_;
    bool finished_ = false;
};

}  // namespace coroscope::e2e
