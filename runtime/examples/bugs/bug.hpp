// What the programs in this folder share: each shows one kind of bug, and how it is mended with `fixed` as argument.
#pragma once

#include <cstring>

inline bool is_fixed(int argc, char** argv) { return argc > 1 && std::strcmp(argv[1], "fixed") == 0; }
