// Go's side of the part `runtime`: the same work as tasks.cpp, with goroutines on one thread (GOMAXPROCS 1).
// `tasks WORK SECONDS` prints one number (ns, or bytes for bytes_*); exit status 3: there is no such work in Go.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const batch = 1000

func fail(what any) {
	fmt.Fprintln(os.Stderr, "tasks:", what)
	os.Exit(1)
}

// Wall ns an operation: one batch to warm up, then batches of `count` until the time is over.
func repeat(seconds float64, count int, once func()) float64 {
	once()
	limit := time.Duration(seconds * 1e9)
	operations := 0
	for start := time.Now(); ; {
		once()
		operations += count
		if took := time.Since(start); took >= limit {
			return float64(took) / float64(operations)
		}
	}
}

func wallNs(count int, once func()) float64 {
	start := time.Now()
	once()
	return float64(time.Since(start)) / float64(count)
}

func median(values []float64) float64 {
	sort.Float64s(values)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

func medianOf(times, count int, once func()) float64 {
	values := make([]float64, times)
	for i := range values {
		values[i] = wallNs(count, once)
	}
	return median(values)
}

func processCPUNs() int64 {
	const clockProcessCPUTime = 2
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockProcessCPUTime, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		fail(errno)
	}
	return ts.Nano()
}

func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		fail(err)
	}
	return float64(resident * os.Getpagesize())
}

//go:noinline
func child(value int) int { return value }

func spawnJoin(seconds float64) float64 {
	result := make(chan int)
	return repeat(seconds, batch, func() {
		for i := 0; i < batch; i++ {
			go func(i int) { result <- child(i) }(i)
			<-result
		}
	})
}

// Starts so many goroutines that each give a result, and waits for all.
func spawnAll(count int, work func(int) int) {
	results := make([]int, count)
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func(i int) {
			results[i] = work(i)
			all.Done()
		}(i)
	}
	all.Wait()
}

const spawnCount = 1_000_000

func spawnCold(float64) float64 {
	return wallNs(spawnCount, func() { spawnAll(spawnCount, child) })
}

func spawnWarm(float64) float64 {
	spawnAll(spawnCount, child)
	return medianOf(3, spawnCount, func() { spawnAll(spawnCount, child) })
}

func gather(float64) float64 {
	const count = 100_000
	spawnAll(count, child)
	return medianOf(3, count, func() { spawnAll(count, child) })
}

func yields(seconds float64) float64 {
	return repeat(seconds, batch, func() {
		for i := 0; i < batch; i++ {
			runtime.Gosched()
		}
	})
}

func switches(seconds float64) float64 {
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for range ping {
			pong <- struct{}{}
		}
	}()
	return repeat(seconds, 2*batch, func() {
		for i := 0; i < batch; i++ {
			ping <- struct{}{}
			<-pong
		}
	})
}

func pipeline(seconds float64) float64 {
	first, second := make(chan int, 64), make(chan int, 64)
	go func() {
		for i := 0; ; i++ {
			first <- i
		}
	}()
	go func() {
		for item := range first {
			second <- item + 1
		}
	}()
	return repeat(seconds, batch, func() {
		for i := 0; i < batch; i++ {
			<-second
		}
	})
}

// Sleeps of 1 to 16 ms, all at a time. What counts is the CPU time, of all threads of the process.
func sleepAll(count int) float64 {
	before := processCPUNs()
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func(i int) {
			time.Sleep(time.Duration(1000+(i*7919)%15000) * time.Microsecond)
			all.Done()
		}(i)
	}
	all.Wait()
	return float64(processCPUNs()-before) / float64(count)
}

func sleeps(count int) func(float64) float64 {
	return func(float64) float64 {
		sleepAll(count / 10)
		return sleepAll(count)
	}
}

// A limit of time around what is done at once.
func timeouts(seconds float64) float64 {
	background := context.Background()
	ready := make(chan int, 1)
	return repeat(seconds, batch, func() {
		for i := 0; i < batch; i++ {
			limited, cancel := context.WithTimeout(background, 10*time.Second)
			ready <- child(i)
			select {
			case <-ready:
			case <-limited.Done():
			}
			cancel()
		}
	})
}

func sleepLong(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
}

func cancels(seconds float64) float64 {
	background := context.Background()
	done := make(chan error)
	return repeat(seconds, batch, func() {
		for i := 0; i < batch; i++ {
			ctx, cancel := context.WithCancel(background)
			go func() { done <- sleepLong(ctx) }()
			runtime.Gosched()
			cancel()
			if err := <-done; err != context.Canceled {
				fail(err)
			}
		}
	})
}

// What a goroutine that sleeps costs in memory. The process ends with them.
func sleepingBytes(count int) func(float64) float64 {
	return func(float64) float64 {
		before := residentBytes()
		var begun sync.WaitGroup
		begun.Add(count)
		for i := 0; i < count; i++ {
			go func() {
				begun.Done()
				time.Sleep(time.Hour)
			}()
		}
		begun.Wait() // the last one to begin gets to its sleep first: there is one thread
		return (residentBytes() - before) / float64(count)
	}
}

func yieldOnce(value int) int {
	runtime.Gosched()
	return value
}

func growth(count int) func(float64) float64 {
	return func(seconds float64) float64 {
		spawnAll(count, yieldOnce)
		var values []float64
		for start := time.Now(); ; {
			values = append(values, wallNs(count, func() { spawnAll(count, yieldOnce) }))
			if time.Since(start).Seconds() >= seconds {
				return median(values)
			}
		}
	}
}

var works = map[string]func(seconds float64) float64{
	"spawn_join": spawnJoin,
	"spawn_cold": spawnCold,
	"spawn_warm": spawnWarm,
	"gather":     gather,
	"yield":      yields,
	"switch":     switches,
	"pipeline":   pipeline,
	"sleeps_1e5": sleeps(100_000),
	"sleeps_1e6": sleeps(1_000_000),
	"timeout":    timeouts,
	"cancel":     cancels,
	"bytes_1e3":  sleepingBytes(1000),
	"bytes_1e4":  sleepingBytes(10_000),
	"bytes_1e5":  sleepingBytes(100_000),
	"bytes_1e6":  sleepingBytes(1_000_000),
	"growth_1e3": growth(1000),
	"growth_1e4": growth(10_000),
	"growth_1e5": growth(100_000),
	"growth_1e6": growth(1_000_000),
}

func main() {
	runtime.GOMAXPROCS(1)
	if len(os.Args) != 3 {
		fail("usage: tasks WORK SECONDS")
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		fail(err)
	}
	work, known := works[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "tasks: no such work in Go:", os.Args[1])
		os.Exit(3)
	}
	fmt.Printf("%.3f\n", work(seconds))
	os.Exit(0)
}
