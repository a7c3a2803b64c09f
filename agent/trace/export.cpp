// Formats by name, and exports into files.
#include "export.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "chrome_export.hpp"
#include "output.hpp"
#include "perfetto_export.hpp"
#include "profile_export.hpp"
#include "stack_export.hpp"

namespace coroscope::trace {

namespace {

constexpr std::array<std::pair<std::string_view, ExportFormat>, 4> formats{{{"chrome", ExportFormat::chrome},
                                                                            {"perfetto", ExportFormat::perfetto},
                                                                            {"speedscope", ExportFormat::speedscope},
                                                                            {"folded", ExportFormat::folded}}};

void write(const model::Session& session, std::span<const Marker> markers, ExportFormat format, Stacks stacks,
           Output& out) {
    switch (format) {
        case ExportFormat::chrome: return export_chrome(session, markers, out);
        case ExportFormat::perfetto: return export_perfetto(session, markers, out);
        case ExportFormat::speedscope:
            return stacks == Stacks::cpu ? export_profile_speedscope(session, out) : export_speedscope(session, out);
        case ExportFormat::folded:
            return stacks == Stacks::cpu ? export_profile_folded(session, out) : export_folded(session, out);
    }
}

}  // namespace

std::optional<ExportFormat> format_named(std::string_view name) {
    for (const auto& [text, format] : formats)
        if (text == name) return format;
    return std::nullopt;
}

std::string format_names() {
    std::string names;
    for (const auto& [text, format] : formats) names += (names.empty() ? "" : ", ") + std::string{text};
    return names;
}

std::string export_file(const model::Session& session, std::span<const Marker> markers, ExportFormat format,
                        const std::string& path, Stacks stacks) {
    if (path == "-") {
        Output out(STDOUT_FILENO, "standard output");
        write(session, markers, format, stacks, out);
        out.flush();
        return out.error();
    }
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return "cannot write " + path + ": " + std::system_category().message(errno);
    Output out(file, path);
    write(session, markers, format, stacks, out);
    out.flush();
    std::string error = out.error();
    struct stat status{};
    const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    if (::close(file) != 0 && error.empty()) error = std::system_category().message(errno) + " (" + path + ")";
    if (!error.empty() && regular) ::unlink(path.c_str());
    return error;
}

}  // namespace coroscope::trace
