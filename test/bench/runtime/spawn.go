// spawn.go - goroutines that end at once: started in batches of a hundred, and awaited.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

const batch = 100

func cpuNs() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func main() {
	n := 5000000
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	n = n / batch * batch
	var done sync.WaitGroup
	endAtOnce := func() { done.Done() }
	start := cpuNs()
	for i := 0; i < n; i += batch {
		done.Add(batch)
		for j := 0; j < batch; j++ {
			go endAtOnce()
		}
		done.Wait()
	}
	fmt.Printf("spawn %.2f ns\n", (cpuNs()-start)/float64(n))
}
