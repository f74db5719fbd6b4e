// spawn.go - spawn.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

const batch = 100

func main() {
	var done sync.WaitGroup
	endAtOnce := func() { done.Done() }
	bench(2000000, func(n int) {
		for i := 0; i < n; i += batch {
			done.Add(batch)
			for j := 0; j < batch; j++ {
				go endAtOnce()
			}
			done.Wait()
		}
	})
}
