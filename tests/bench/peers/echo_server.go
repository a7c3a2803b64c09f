// An echo server in Go: a goroutine a connection, on one thread (GOMAXPROCS 1). `echo_server` listens on a free port of
// 127.0.0.1, prints the port, serves until killed.
package main

import (
	"fmt"
	"log"
	"net"
	"runtime"
)

// TCP_NODELAY is Go's default. io.Copy would splice through a pipe, which costs small messages more system calls.
func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		got, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:got]); err != nil {
			return
		}
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection)
	}
}
