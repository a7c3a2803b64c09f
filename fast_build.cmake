# Large headers are most of the time of a build: targets that read the same ones share them precompiled, and small sources
# are compiled together. The clang preset builds all but the tests without (COROSCOPE_FAST_BUILD OFF): there, a file that misses an include
# does not compile.

# ccache may give a precompiled header back that is older than the file it was made of, with the same contents: clang is
# not to compare their times.
if(COROSCOPE_FAST_BUILD)
  add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# Headers of the standard library that nearly every file reads.
set(COROSCOPE_STD_HEADERS
  <algorithm> <atomic> <charconv> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <set> <span>
  <sstream> <string> <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>)

# coroscope_shared_headers(NAME header... LIBS library... [EXECUTABLES]): precompiles headers for coroscope_use_headers().
# The targets that use them need the same compile options, and at least the definitions of LIBS.
# EXECUTABLES: the users are programs, whose code is position-independent in another way than a library's.
function(coroscope_shared_headers name)
  if(NOT COROSCOPE_FAST_BUILD)
    return()
  endif()
  cmake_parse_arguments(arg "EXECUTABLES" "" "LIBS" ${ARGN})
  set(empty ${PROJECT_BINARY_DIR}/empty.cpp)  # a target needs a source to have precompiled headers
  if(NOT EXISTS ${empty})
    file(WRITE ${empty} "")
  endif()
  add_library(${name} OBJECT ${empty})
  if(arg_EXECUTABLES)
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIE)
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LIBS} coroscope_warnings)
  target_precompile_headers(${name} PRIVATE ${COROSCOPE_STD_HEADERS} ${arg_UNPARSED_ARGUMENTS})
endfunction()

# coroscope_use_headers(TARGET NAME): TARGET reads the precompiled headers NAME, if they are precompiled (the clang preset
# does that for the tests, and not for what they use).
function(coroscope_use_headers target name)
  if(COROSCOPE_FAST_BUILD AND TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# coroscope_own_headers(TARGET header...): precompiles headers for TARGET alone.
function(coroscope_own_headers target)
  if(COROSCOPE_FAST_BUILD)
    target_precompile_headers(${target} PRIVATE ${COROSCOPE_STD_HEADERS} ${ARGN})
  endif()
endfunction()

# coroscope_compile_together(TARGET n): its sources are compiled n at a time, as one file that includes them. What headers
# cost, above all the templates that they instantiate, is paid once for all of them: a third to a half of the time.
function(coroscope_compile_together target count)
  if(COROSCOPE_FAST_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${count})
    # g++ takes sources that are included for headers, and warns of their anonymous namespaces.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
