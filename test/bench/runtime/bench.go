// bench.go - bench.h for the Go programs: one measured run, told in the same line.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

func cpuNs() int64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return r.Utime.Nano() + r.Stime.Nano()
}

func bench(ops int, run func(n int)) {
	if len(os.Args) > 1 {
		ops, _ = strconv.Atoi(os.Args[1])
	}
	run(ops/10 + 1)
	wall, cpu := time.Now(), cpuNs()
	run(ops)
	cpu = cpuNs() - cpu
	fmt.Printf("ops=%d wall_ns=%d cpu_ns=%d\n", ops, time.Since(wall).Nanoseconds(), cpu)
}
