// An HTTP server in Go: net/http as it comes, on one thread (GOMAXPROCS 1). `http_server` listens on a free port of
// 127.0.0.1, prints the port, serves until killed.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
)

// net/http adds Date and Content-Length.
func answer(writer http.ResponseWriter, request *http.Request) {
	name := request.URL.Path
	if request.Method != http.MethodGet || name == "" || name[0] != '/' || strings.Contains(name[1:], "/") {
		http.Error(writer, "404: Not Found", http.StatusNotFound)
		return
	}
	if name = name[1:]; name == "" {
		name = "Anonymous"
	}
	writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(writer, "Hello, "+name+"!")
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, http.HandlerFunc(answer)))
}
