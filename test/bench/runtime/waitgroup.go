// waitgroup.go - waitgroup.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

func main() {
	var wg sync.WaitGroup
	bench(200000, func(n int) {
		for i := 0; i < n; i++ {
			for k := 0; k < 3; k++ {
				wg.Add(1)
				go func() { wg.Done() }()
			}
			wg.Wait()
		}
	})
}
