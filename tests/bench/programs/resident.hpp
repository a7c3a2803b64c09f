// Resident memory of this process, for the rows that say what a task costs.
#pragma once

#include <unistd.h>

#include <fstream>

inline double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}
