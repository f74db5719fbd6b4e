// mutex_contended.go - mutex_contended.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

const coroutines = 4

var shared struct {
	m       sync.Mutex
	counter int
}

var done sync.WaitGroup

func main() {
	bench(4000000, func(n int) {
		done.Add(coroutines)
		for k := 0; k < coroutines; k++ {
			go func() {
				for i := 0; i < n/coroutines; i++ {
					shared.m.Lock()
					shared.counter++
					shared.m.Unlock()
				}
				done.Done()
			}()
		}
		done.Wait()
	})
}
