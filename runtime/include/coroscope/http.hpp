// A small HTTP server and a client, with aiohttp's names: Application, Request, Response, AppRunner, TCPSite;
// ClientSession. Link coroscope_http.
#pragma once

#include "coroscope/http/application.hpp"
#include "coroscope/http/client.hpp"
#include "coroscope/http/message.hpp"
#include "coroscope/http/runner.hpp"
