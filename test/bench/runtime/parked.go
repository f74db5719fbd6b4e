// parked.go - a million goroutines parked on one channel: the time to start and to release them, memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func cpuSeconds() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func residentMb() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); fields[0] == "VmRSS:" {
			kb, _ := strconv.ParseFloat(fields[1], 64)
			return kb / 1024
		}
	}
	return 0
}

func main() {
	n := 1000000
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	gate := make(chan struct{})
	var parked, ended sync.WaitGroup
	parked.Add(n)
	ended.Add(n)
	waitAtGate := func() {
		parked.Done()
		<-gate
		ended.Done()
	}
	start, cpu := time.Now(), cpuSeconds()
	for i := 0; i < n; i++ {
		go waitAtGate()
	}
	parked.Wait()
	fmt.Printf("parked_spawn %.2f s\n", time.Since(start).Seconds())
	fmt.Printf("parked_spawn_cpu %.2f s\n", cpuSeconds()-cpu)
	fmt.Printf("parked_memory %.2f MB\n", residentMb())
	start, cpu = time.Now(), cpuSeconds()
	close(gate)
	ended.Wait()
	fmt.Printf("parked_release %.2f s\n", time.Since(start).Seconds())
	fmt.Printf("parked_release_cpu %.2f s\n", cpuSeconds()-cpu)
}
