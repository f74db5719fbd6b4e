// mutex.go - mutex.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

var shared struct {
	m       sync.Mutex
	counter int
}

func main() {
	bench(10000000, func(n int) {
		for i := 0; i < n; i++ {
			shared.m.Lock()
			shared.counter++
			shared.m.Unlock()
		}
	})
}
