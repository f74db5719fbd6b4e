// rlock.go - rlock.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

var m sync.RWMutex

func main() {
	bench(10000000, func(n int) {
		for i := 0; i < n; i++ {
			m.RLock()
			m.RUnlock()
		}
	})
}
