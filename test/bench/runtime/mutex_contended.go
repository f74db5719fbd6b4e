// mutex_contended.go - mutex_contended.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

const coroutines = 4

var (
	m       sync.Mutex
	done    sync.WaitGroup
	counter int
)

func main() {
	bench(4000000, func(n int) {
		done.Add(coroutines)
		for k := 0; k < coroutines; k++ {
			go func() {
				for i := 0; i < n/coroutines; i++ {
					m.Lock()
					counter++
					m.Unlock()
				}
				done.Done()
			}()
		}
		done.Wait()
	})
}
