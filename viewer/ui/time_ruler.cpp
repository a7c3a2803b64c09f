#include "time_ruler.hpp"

#include <algorithm>
#include <cmath>

#include "widgets.hpp"

namespace coroscope::viewer::ui {

void draw_ruler(ImDrawList& list, const TimeAxis& axis, double origin_ns, float top, float height, float bottom) {
    for (const Tick& tick : ticks(axis, origin_ns, px(84))) {
        const float x = std::floor(axis.x(tick.time_ns)) + 0.5f;
        if (!tick.labelled) {
            list.AddLine({x, top + height - px(4)}, {x, top + height}, color::border);
            continue;
        }
        list.AddLine({x, top + height - px(7)}, {x, bottom}, color::grid);
        const float width = text_width(tick.label, fonts().small);
        const float left = std::clamp(x - width / 2, axis.left_px, std::max(axis.left_px, axis.right_px() - width));
        draw_text(list, {left, top}, color::dim, tick.label, fonts().small);
    }
}

}  // namespace coroscope::viewer::ui
