// Everything about I/O: addresses, raw sockets, buffered streams, servers, datagrams, pipes, subprocesses.
#pragma once

#include "coroscope/net/address.hpp"
#include "coroscope/net/error.hpp"
#include "coroscope/net/lookup.hpp"
#include "coroscope/net/pipe.hpp"
#include "coroscope/net/process.hpp"
#include "coroscope/net/server.hpp"
#include "coroscope/net/socket.hpp"
#include "coroscope/net/stream.hpp"
#include "coroscope/net/udp.hpp"
