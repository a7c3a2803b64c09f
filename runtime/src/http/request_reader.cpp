#include "request_reader.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <cctype>
#include <optional>

namespace coroscope::http {

namespace beast = boost::beast;

namespace {

using Errors = beast::http::error;

std::string_view text(beast::string_view view) { return {view.data(), view.size()}; }

[[noreturn]] void refuse(const beast::error_code& error) {
    int status = 400;
    std::string why;
    if (error == Errors::header_limit) {
        status = 431;
    } else if (error == Errors::body_limit) {
        status = 413;
    } else if (error == Errors::bad_version) {
        status = 505;
    } else {
        why = " (" + error.message() + ")";
    }
    throw HttpError(status, std::to_string(status) + ": " + std::string(reason_phrase(status)) + why);
}

}  // namespace

class RequestReader::Parser : public beast::http::basic_parser<true> {
public:
    explicit Parser(Request& request) : request_(request) {}

private:
    using OptionalSize = boost::optional<std::uint64_t>;

    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                         beast::error_code&) override {
        request_.method_ = text(method);
        request_.target_ = text(target);
        request_.version_ = version;
    }
    // Fields after a chunked body are dropped: taken for headers, they would get past what checked those.
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                       beast::error_code&) override {
        if (is_header_done()) return;
        request_.headers_.fields_.emplace_back(text(name), text(value));
    }
    void on_body_init_impl(const OptionalSize& length, beast::error_code&) override {
        if (length) request_.body_.reserve(static_cast<std::size_t>(*length));  // within the limit: checked before
    }
    std::size_t on_body_impl(beast::string_view data, beast::error_code&) override {
        request_.body_.append(data.data(), data.size());
        return data.size();
    }
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view data, beast::error_code&) override {
        request_.body_.append(data.data(), data.size());
        return data.size();
    }
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    void on_finish_impl(beast::error_code&) override {}

    Request& request_;
};

RequestReader::RequestReader(std::size_t most_header_bytes, std::size_t most_body_bytes)
    : most_header_bytes_(most_header_bytes), most_body_bytes_(most_body_bytes) {}

RequestReader::~RequestReader() = default;

void RequestReader::begin() {
    parser_ = std::make_unique<Parser>(request_);
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(most_header_bytes_));
    parser_->body_limit(most_body_bytes_);
}

std::size_t RequestReader::feed(std::string_view data) {
    std::size_t skipped = 0;
    if (!parser_) {  // RFC 9112, 2.2: empty lines before a request are no part of it
        while (data.substr(skipped).starts_with("\r\n")) skipped += 2;
        data.remove_prefix(skipped);
        if (data.empty() || data == "\r") return skipped;
        begin();
    }
    beast::error_code error;
    const bool had_head = parser_->is_header_done();
    const std::size_t taken = parser_->put(boost::asio::const_buffer(data.data(), data.size()), error);
    if (error && error != Errors::need_more) refuse(error);
    if (!had_head && parser_->is_header_done()) check_head();
    // What is left over is an unfinished line. Those of the header are counted by the parser, those of chunks are not.
    if (parser_->is_header_done() && !parser_->is_done() && data.size() - taken > most_header_bytes_)
        throw HttpError(431, "431: Request Header Fields Too Large (a chunk's extension or the trailer)");
    return skipped + taken;
}

// What Beast leaves to us: RFC 9112, 3.2 (Host) and 6.1 (transfer codings we do not know).
void RequestReader::check_head() const {
    const Headers& headers = request_.headers_;
    if (headers.count("Host") > 1 || (request_.version_ == 11 && headers.count("Host") == 0)) {
        throw HttpError(400, "400: Bad Request (a request has one Host header)");
    }
    const std::string_view host = headers.get("Host");
    constexpr std::string_view marks = "-._~:[]%!$&'()*+,;=";
    for (const char c : host) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && marks.find(c) == std::string_view::npos)
            throw HttpError(400, "400: Bad Request (the Host header names no host)");
    }
    const std::string_view coding = headers.get("Transfer-Encoding", "chunked");
    if (!beast::iequals(beast::string_view(coding.data(), coding.size()), "chunked")) {
        throw HttpError(501, "501: Not Implemented (only the transfer encoding 'chunked' is)");
    }
}

bool RequestReader::head_done() const noexcept { return parser_ && parser_->is_header_done(); }
bool RequestReader::done() const noexcept { return parser_ && parser_->is_done(); }

bool RequestReader::expects_continue() const noexcept {
    return head_done() && !done() && request_.version_ == 11 &&
           beast::iequals(
               beast::string_view(request_.headers_.get("Expect").data(), request_.headers_.get("Expect").size()),
               "100-continue");
}

Request RequestReader::take() {
    request_.keep_alive_ = parser_->keep_alive();
    parser_.reset();
    return std::exchange(request_, Request());
}

std::string_view reason_phrase(int status) noexcept {
    return text(beast::http::obsolete_reason(beast::http::int_to_status(static_cast<unsigned>(status))));
}

}  // namespace coroscope::http
