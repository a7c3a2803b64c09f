// A small HTTP server, near to aiohttp's: Application, Request, Response, AppRunner, TCPSite. Links coroscope_http.
#pragma once

#include "coroscope/http/application.hpp"
#include "coroscope/http/client.hpp"
#include "coroscope/http/message.hpp"
#include "coroscope/http/runner.hpp"
