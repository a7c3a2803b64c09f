#include "response_reader.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "coroscope/http/client.hpp"

namespace coroscope::http {

namespace beast = boost::beast;

namespace {

std::string_view text(beast::string_view view) { return {view.data(), view.size()}; }

[[noreturn]] void refuse(const beast::error_code& error) {
    if (error == beast::http::error::partial_message) throw ClientError("the server ended its answer in the middle");
    if (error == beast::http::error::header_limit)
        throw ClientError("the header of the server's answer is larger than ClientOptions::most_header_bytes");
    throw ClientError("the server's answer is no HTTP: " + error.message());
}

}  // namespace

class ResponseReader::Parser : public beast::http::basic_parser<false> {
public:
    explicit Parser(ResponseReader& reader) : reader_(reader) {}

private:
    using OptionalSize = boost::optional<std::uint64_t>;
    void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, beast::error_code&) override {}
    void on_response_impl(int status, beast::string_view, int, beast::error_code&) override {
        reader_.status_ = status;
    }
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                       beast::error_code&) override {
        if (!is_header_done()) reader_.headers_.fields_.emplace_back(text(name), text(value));
    }
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const OptionalSize&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view data, beast::error_code&) override {
        reader_.body_.append(data.data(), data.size());
        return data.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view data, beast::error_code&) override {
        reader_.body_.append(data.data(), data.size());
        return data.size();
    }
    void on_finish_impl(beast::error_code&) override {}

    ResponseReader& reader_;
};

ResponseReader::ResponseReader(std::size_t most_header_bytes, bool without_body)
    : most_header_bytes_(most_header_bytes), without_body_(without_body) {
    begin();
}
ResponseReader::~ResponseReader() = default;

void ResponseReader::begin() {
    headers_ = Headers();
    parser_ = std::make_unique<Parser>(*this);
    parser_->eager(true);
    parser_->skip(without_body_);
    parser_->header_limit(static_cast<std::uint32_t>(most_header_bytes_));
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // whoever reads it whole limits it
}

std::size_t ResponseReader::feed(std::string_view data) {
    if (!data.empty()) begun_ = true;
    std::size_t taken = 0;
    for (;;) {
        beast::error_code error;
        taken += parser_->put(boost::asio::const_buffer(data.data() + taken, data.size() - taken), error);
        if (error && error != beast::http::error::need_more) refuse(error);
        const bool interim = parser_->is_header_done() && status_ >= 100 && status_ < 200 && status_ != 101;
        if (!interim) break;
        begin();  // "100 Continue" and its kin: the answer itself follows
        if (taken == data.size()) break;
    }
    // An unfinished line of a chunk or a trailer: those the parser does not count.
    if (parser_->is_header_done() && !parser_->is_done() && data.size() - taken > most_header_bytes_)
        throw ClientError("a line of the server's answer is larger than ClientOptions::most_header_bytes");
    return taken;
}

void ResponseReader::feed_end() {
    beast::error_code error;
    parser_->put_eof(error);
    if (error) refuse(error);
}

bool ResponseReader::head_done() const noexcept { return parser_->is_header_done(); }
bool ResponseReader::done() const noexcept { return parser_->is_done(); }
bool ResponseReader::keep_alive() const noexcept { return parser_->is_done() && parser_->keep_alive(); }

}  // namespace coroscope::http
