// A target that only precompiles headers for others (cmake/fast_build.cmake) needs a source.
