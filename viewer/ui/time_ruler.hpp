// Drawing that charts over time share: the ruler and its grid.
#pragma once

#include <imgui.h>

#include "viewer/layout/time_axis.hpp"

namespace coroscope::viewer::ui {

// Labels in the band [top, top + height), grid lines from there down to `bottom`.
void draw_ruler(ImDrawList& list, const TimeAxis& axis, double origin_ns, float top, float height, float bottom);

}  // namespace coroscope::viewer::ui
