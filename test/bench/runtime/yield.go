// yield.go - yield.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"runtime"
	"sync"
)

func main() {
	bench(4000000, func(n int) {
		var done sync.WaitGroup
		done.Add(2)
		for i := 0; i < 2; i++ {
			go func() {
				for j := 0; j < n/2; j++ {
					runtime.Gosched()
				}
				done.Done()
			}()
		}
		done.Wait()
	})
}
