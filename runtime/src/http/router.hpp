// Router: from a method and a path to a handler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coroscope/http/application.hpp"

namespace coroscope::http {

// "a%20b" to "a b". False: a '%' without two hexadecimal digits.
bool percent_decode(std::string_view text, std::string& decoded);

class Router {
public:
    void add(Route route);
    // Fills the request's match_info. Throws HttpError: 400 for a target that is no path, 404; 405 with `allowed`
    // filled.
    const Handler& find(Request& request, std::string& allowed) const;

private:
    struct Segment {
        std::string text;  // to be equal, decoded; or the name
        bool is_name;
    };
    struct Entry {
        Route route;
        std::vector<Segment> segments;
    };
    static bool fits(const Entry& entry, const std::vector<std::string>& path);
    std::vector<Entry> entries_;
};

}  // namespace coroscope::http
