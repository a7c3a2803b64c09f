#include "time_ruler.hpp"

#include <cmath>

#include "widgets.hpp"

namespace coroscope::viewer::ui {

void draw_ruler(ImDrawList& list, const TimeAxis& axis, double origin_ns, float top, float height, float bottom) {
    for (const Tick& tick : ticks(axis, origin_ns, px(110))) {
        const float x = std::floor(axis.x(tick.time_ns)) + 0.5f;
        if (!tick.labelled) {
            list.AddLine({x, top + height - px(4)}, {x, top + height}, color::border);
            continue;
        }
        list.AddLine({x, top + height - px(7)}, {x, bottom}, color::grid);
        const float width = text_width(tick.label, fonts().small);
        if (x + width / 2 < axis.right_px() && x - width / 2 > axis.left_px) {
            draw_text(list, {x - width / 2, top}, color::dim, tick.label, fonts().small);
        }
    }
}

}  // namespace coroscope::viewer::ui
