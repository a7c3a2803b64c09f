// Context variables: Python's contextvars. A value that belongs to a task and what it spawns, without being passed from
// function to function: a request's id, a deadline, a user.
//
//     ContextVar<std::string> request_id("request_id", "-");
//
//     auto token = request_id.set("4711");       // for this task, and tasks it creates from now on
//     log(request_id.get());
//     request_id.reset(token);                   // what it was before
//
// A task begins with a copy of the context of who creates it; what it sets stays its own. A callback of call_soon() and
// its kin runs in the context of who scheduled it. Code outside of tasks and callbacks has the thread's context. A copy
// costs one pointer and, if any variable is set, one count; set() copies the (small) map; get() looks it up.
// Thread: get() and set() work on any thread, each in its own context. A variable must outlive its use: make it global.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace coroscope {

namespace detail {

// The values of one context, shared by all copies that nobody changed since.
struct ContextData {
    std::atomic<std::uint32_t> references{1};
    std::map<std::uint64_t, std::shared_ptr<const void>> values;  // by the variable's id
};

class ContextRef {
public:
    ContextRef() noexcept = default;
    ContextRef(const ContextRef& other) noexcept : data_(other.data_) {
        // Only counts; nothing is ordered by it.
        if (data_ != nullptr) data_->references.fetch_add(1, std::memory_order_relaxed);
    }
    ContextRef(ContextRef&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    ContextRef& operator=(ContextRef other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~ContextRef() {
        if (data_ != nullptr) release(data_);
    }
    std::shared_ptr<const void> find(std::uint64_t variable) const;
    void set(std::uint64_t variable, std::shared_ptr<const void> value);  // nullptr: takes it out

private:
    static void release(ContextData* data) noexcept;
    ContextData* data_ = nullptr;  // nullptr: nothing is set
};

// The context of what runs on this thread now.
ContextRef& current_context() noexcept;

// While it lives, `context` is the current one.
class WithContext {
public:
    explicit WithContext(ContextRef& context) noexcept;
    ~WithContext();
    WithContext(const WithContext&) = delete;
    WithContext& operator=(const WithContext&) = delete;

private:
    ContextRef* before_;
};

std::uint64_t next_variable_id() noexcept;

}  // namespace detail

// A copy of a context. Python's Context.
class Context {
public:
    Context() = default;  // empty
    // Runs the function with this as the current context: what it sets is set here.
    template <class F>
    auto run(F&& function) {
        const detail::WithContext with(values_);
        return std::forward<F>(function)();
    }

private:
    friend Context copy_context() noexcept;
    detail::ContextRef values_;
};

inline Context copy_context() noexcept {
    Context copy;
    copy.values_ = detail::current_context();
    return copy;
}

template <class T>
class ContextVar {
public:
    // What set() gives, to put back what was there.
    class Token {
    public:
        const std::optional<T>& old_value() const noexcept { return old_; }  // nothing: it was not set

    private:
        friend ContextVar;
        Token(const ContextVar* variable, std::shared_ptr<const void> before)
            : variable_(variable), before_(std::move(before)) {
            if (before_ != nullptr) old_ = *static_cast<const T*>(before_.get());
        }
        const ContextVar* variable_;
        std::shared_ptr<const void> before_;
        std::optional<T> old_;
        bool used_ = false;
    };

    explicit ContextVar(std::string name) : name_(std::move(name)) {}
    ContextVar(std::string name, T value_if_not_set) : name_(std::move(name)), default_(std::move(value_if_not_set)) {}
    ContextVar(const ContextVar&) = delete;
    ContextVar& operator=(const ContextVar&) = delete;

    const std::string& name() const noexcept { return name_; }

    // The value in the current context, else the variable's default. Throws std::logic_error if there is neither.
    T get() const {
        if (const auto value = detail::current_context().find(id_)) return *static_cast<const T*>(value.get());
        if (default_) return *default_;
        throw std::logic_error("the context variable '" + name_ + "' is not set and has no default");
    }
    T get(T value_if_not_set) const {
        if (const auto value = detail::current_context().find(id_)) return *static_cast<const T*>(value.get());
        return value_if_not_set;
    }
    Token set(T value) {
        detail::ContextRef& context = detail::current_context();
        Token token(this, context.find(id_));
        context.set(id_, std::make_shared<const T>(std::move(value)));
        return token;
    }
    // Once for each token; throws std::logic_error for a used one, or another variable's. Python's refuses a token of
    // another context, too; here contexts are values, copied by whoever is given one, and none is told from its copy:
    // the current context gets what was there before the set().
    void reset(Token& token) {
        if (token.variable_ != this)
            throw std::logic_error("the token is of another context variable than '" + name_ + "'");
        if (token.used_) throw std::logic_error("the token of '" + name_ + "' has been used already");
        token.used_ = true;
        detail::current_context().set(id_, token.before_);
    }

private:
    const std::uint64_t id_ = detail::next_variable_id();
    const std::string name_;
    const std::optional<T> default_;
};

}  // namespace coroscope
