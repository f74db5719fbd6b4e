// parked.go - parked.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func residentMb() int {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); fields[0] == "VmRSS:" {
			kb, _ := strconv.Atoi(fields[1])
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
	start, cpu := time.Now(), cpuNs()
	for i := 0; i < n; i++ {
		go waitAtGate()
	}
	parked.Wait()
	spawn, spawnCpu := time.Since(start), cpuNs()-cpu
	memory := residentMb()
	start, cpu = time.Now(), cpuNs()
	close(gate)
	ended.Wait()
	release, releaseCpu := time.Since(start), cpuNs()-cpu
	fmt.Printf("ops=%d wall_ns=%d cpu_ns=%d spawn_ms=%d spawn_cpu_ms=%d release_ms=%d release_cpu_ms=%d rss_mb=%d\n", n,
		(spawn + release).Nanoseconds(), spawnCpu+releaseCpu, spawn.Milliseconds(), spawnCpu/1000000,
		release.Milliseconds(), releaseCpu/1000000, memory)
}
