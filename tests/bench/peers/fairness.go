// Go's side of the part `fairness`: the same work as programs/fairness.cpp, with goroutines on one thread (GOMAXPROCS
// 1). A yield is runtime.Gosched. `fairness WORK SECONDS` prints one number: the 95th percentile of the victim's
// latencies, in ns.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	pause      = time.Millisecond
	answerTime = 100 * time.Microsecond
)

func fail(what any) {
	fmt.Fprintln(os.Stderr, "fairness:", what)
	os.Exit(1)
}

// The latencies of a run, which ends with the first one that comes after its time is over.
type latencies struct {
	end      time.Time
	all      []time.Duration
	begun    bool
	complete atomic.Bool
}

// True: there is time for one more.
func (these *latencies) add(latency time.Duration) bool {
	if !these.begun { // the first one pays for the start
		these.begun = true
		return true
	}
	these.all = append(these.all, latency)
	these.complete.Store(!time.Now().Before(these.end))
	return !these.complete.Load()
}

func (these *latencies) percentile95() time.Duration {
	sort.Slice(these.all, func(i, j int) bool { return these.all[i] < these.all[j] })
	rank := (len(these.all)*95 + 99) / 100 // the least that 95 % do not exceed
	return these.all[rank-1]
}

func workFor(step time.Duration) {
	if step == 0 {
		return
	}
	for start := time.Now(); time.Since(start) < step; {
	}
}

func beBusy(step time.Duration, these *latencies) {
	for !these.complete.Load() {
		workFor(step)
		runtime.Gosched()
	}
}

func sleepAgainAndAgain(these *latencies) {
	for more := true; more; {
		due := time.Now().Add(pause)
		time.Sleep(pause)
		more = these.add(time.Since(due))
	}
}

const echoArgument = "--echo"

// The other end of the sockets, at 3, in a process of its own: a thread of this one would have to wait for the only
// processor after each of its system calls.
func echo() {
	var buffer [1]byte
	for {
		if got, err := syscall.Read(3, buffer[:]); err == syscall.EINTR {
			continue
		} else if err != nil || got == 0 {
			return
		}
		time.Sleep(answerTime)
		if _, err := syscall.Write(3, buffer[:]); err != nil {
			return
		}
	}
}

func talkToEcho(these *latencies) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		fail(err)
	}
	own, other := os.NewFile(uintptr(ends[0]), "own"), os.NewFile(uintptr(ends[1]), "other")
	child := exec.Command("/proc/self/exe", echoArgument)
	child.ExtraFiles = []*os.File{other}
	if err := child.Start(); err != nil {
		fail(err)
	}
	other.Close()
	connection, err := net.FileConn(own)
	if err != nil {
		fail(err)
	}
	own.Close()
	var buffer [1]byte
	for more := true; more; {
		sent := time.Now()
		if _, err := connection.Write(buffer[:]); err != nil {
			fail(err)
		}
		if _, err := io.ReadFull(connection, buffer[:]); err != nil {
			fail(err)
		}
		more = these.add(time.Since(sent))
	}
	connection.Close()
	if err := child.Wait(); err != nil {
		fail(err)
	}
}

// No thread runs Go without the only processor: who hands something over is a goroutine, too, and has to get its turn
// first. That belongs to the latency, which therefore counts from when the goroutine was due.
func beCalled(these *latencies) {
	calls, answers := make(chan time.Time), make(chan bool)
	go func() {
		for more := true; more; more = <-answers {
			due := time.Now().Add(pause)
			time.Sleep(pause)
			calls <- due
		}
		close(calls)
	}()
	for due := range calls {
		answers <- these.add(time.Since(due))
	}
}

var victims = map[string]func(*latencies){
	"sleep":      sleepAgainAndAgain,
	"echo":       talkToEcho,
	"threadsafe": beCalled,
}

var steps = map[string]time.Duration{
	"5ms": 5 * time.Millisecond,
	"0":   0,
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == echoArgument {
		echo()
		return
	}
	runtime.GOMAXPROCS(1)
	if len(os.Args) != 3 {
		fail("usage: fairness WORK SECONDS")
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		fail(err)
	}
	victimName, stepName, _ := strings.Cut(os.Args[1], "_")
	victim, knowsVictim := victims[victimName]
	step, knowsStep := steps[stepName]
	if !knowsVictim || !knowsStep {
		fmt.Fprintln(os.Stderr, "fairness: no work of the name", os.Args[1])
		os.Exit(3)
	}
	these := &latencies{end: time.Now().Add(time.Duration(seconds * 1e9))}
	go beBusy(step, these)
	victim(these)
	fmt.Println(these.percentile95().Nanoseconds())
}
