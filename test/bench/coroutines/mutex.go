// mutex.go - as mutex.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"runtime"
	"sync"
)

const (
	coroutines = 8
	rounds     = 400000
	slots      = 64
	giveWay    = 100
)

var (
	lock  sync.Mutex
	all   sync.WaitGroup
	count [slots]uint64
	total uint64
)

func run(seed uint32) {
	for i := 0; i < rounds; i++ {
		seed = seed*1664525 + 1013904223
		lock.Lock()
		count[seed>>26]++
		total += uint64(seed >> 26)
		lock.Unlock()
		if i%giveWay == 0 {
			runtime.Gosched()
		}
	}
	all.Done()
}

func main() {
	all.Add(coroutines)
	for i := uint32(0); i < coroutines; i++ {
		go run(i)
	}
	all.Wait()
	fmt.Printf("total %d, of slot 0 %d\n", total, count[0])
}
