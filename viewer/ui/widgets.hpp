// The pieces views are made of: panels, glyphs of states, links, badges, text that fits.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/model/model.hpp"
#include "theme.hpp"
#include "viewer/layout/panes.hpp"

namespace coroscope::viewer::ui {

// A child window with a background. begin_panel() must be followed by end_panel(), whatever it draws.
void begin_panel(const char* id, const Box& box);
void end_panel();
// The line at a panel's top: a title, and what is said beside it.
void panel_title(std::string_view title, std::string_view beside = {});
// Puts the next item so that `width` of it ends at the right edge, in the same line.
void to_the_right(float width);

// Where the next text would be drawn: beside a button it stands lower than the cursor.
ImVec2 text_cursor();

// Draws the glyph of a state within a square: running a triangle, ready a disc, suspended a pause sign, created a ring,
// done a tick, a cross or a slashed ring.
void draw_state(ImDrawList& list, ImVec2 top_left, float size, model::State state, model::Outcome outcome);
// The glyph as an item in the line, then the word.
void state_item(model::State state, model::Outcome outcome, bool with_word = true);

// Text that reacts: underlined when hovered, a hand; true when clicked.
bool link(std::string_view text, ImU32 color = color::link);
void text(std::string_view text, ImU32 color = color::text);
// Beside text of the usual size, on its line.
void small(std::string_view text, ImU32 color = color::dim);
void wrapped(std::string_view text, ImU32 color = color::text);
// Right-aligned in the current table cell.
void number(std::string_view text, ImU32 color = color::text);
void badge(std::string_view text, ImU32 color);
// A button that stays in: true when clicked.
bool toggle(const char* label, bool on, const char* tooltip);
// A key as on the keyboard.
void key_cap(std::string_view text);

// The beginning of `text` that fits into `width`, with an ellipsis if something is cut; "" if too little fits to say
// anything.
std::string fitting(std::string_view text, float width);
void draw_text(ImDrawList& list, ImVec2 at, ImU32 color, std::string_view text, ImFont* font = nullptr);
float text_width(std::string_view text, ImFont* font = nullptr);

// An invisible bar that changes a part of `whole_px` when dragged. True while dragged.
bool splitter(const char* id, const Box& bar, bool moves_sideways, float whole_px, float& part);

void draw_dashed_line(ImDrawList& list, ImVec2 from, ImVec2 to, ImU32 color, float dash_px);
void draw_hatching(ImDrawList& list, ImVec2 from, ImVec2 to, ImU32 color, float gap_px);

void begin_tooltip();
void end_tooltip();

}  // namespace coroscope::viewer::ui
