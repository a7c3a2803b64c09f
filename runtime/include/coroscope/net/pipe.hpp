// Pipes, FIFOs, terminals and socket pairs as streams. asyncio's loop.connect_read_pipe() and connect_write_pipe();
// they need not be awaited here.
//
//     StreamReader input = connect_read_pipe(::dup(STDIN_FILENO));
//     for (std::string line = co_await input.read_line(); !line.empty(); line = co_await input.read_line()) use(line);
//
// The file descriptor is taken over: it is made non-blocking, and closed with the reader or writer. Give a dup() of one
// that shall stay open. Non-blocking is a property of the open file, which other processes may share; a terminal is
// opened anew, so that the shell's stays as it is. Writing to a pipe that nobody reads any more never raises SIGPIPE:
// drain() throws ConnectionError (EPIPE).
//
// StreamWriter::write_eof() closes a pipe after what was written, since a pipe has one direction only. A FIFO that no
// writer has opened yet has not ended: reading waits for the first one. Reading the master side of a pseudo-terminal
// ends when the other side is closed. Thread: the loop's.
//
// Throw std::system_error (no file descriptor, cannot be watched), std::invalid_argument for a regular file or a
// directory, which are always "ready": read these with to_thread(). The caller keeps the descriptor then.
#pragma once

#include "coroscope/net/stream.hpp"

namespace coroscope {

StreamReader connect_read_pipe(int fd, StreamOptions options = {});
StreamWriter connect_write_pipe(int fd, StreamOptions options = {});

}  // namespace coroscope
