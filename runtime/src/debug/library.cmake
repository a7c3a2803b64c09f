# The debug library: loaded by an app when debug mode is switched on. Everything it links stays its own (RTLD_LOCAL).
pkg_check_modules(libdw REQUIRED IMPORTED_TARGET libdw)

# Its inner parts as a static library too, so that tests and benchmarks reach them.
list(REMOVE_ITEM debug_sources ${CMAKE_CURRENT_LIST_DIR}/entry.cpp)
add_library(coroscope_emitter STATIC ${debug_sources})
target_link_libraries(coroscope_emitter
  PUBLIC coroscope_proto coroscope_probe
  PRIVATE coroscope_proto_services coroscope_container coroscope_address coroscope_words coroscope_warnings PkgConfig::libdw PkgConfig::grpcpp spdlog::spdlog
          Threads::Threads)
coroscope_use_headers(coroscope_emitter coroscope_message_headers)
coroscope_compile_together(coroscope_emitter 9)

# The library must not carry a second probe registry: it gets the app's through its entry point, and of the probe's code it has
# only what works on that (definitions, rings).
add_library(coroscope_debug SHARED ${CMAKE_CURRENT_LIST_DIR}/entry.cpp)
set_target_properties(coroscope_debug PROPERTIES OUTPUT_NAME coroscope-debug)
target_link_libraries(coroscope_debug PRIVATE coroscope_emitter coroscope_warnings)
target_compile_definitions(coroscope_debug PRIVATE COROSCOPE_VERSION="${PROJECT_VERSION}")
target_link_options(coroscope_debug PRIVATE -Wl,--exclude-libs,ALL)
if(NOT COROSCOPE_SANITIZE)  # what is missing shows here, not in somebody's app; a sanitizer's own symbols are the app's
  target_link_options(coroscope_debug PRIVATE -Wl,-z,defs)
endif()
