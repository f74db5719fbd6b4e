// timers_fire.go - a timer started, and its function run, of as many as there are operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"sync"
	"time"
)

func main() {
	bench(1000000, func(n int) {
		var fired sync.WaitGroup
		fired.Add(n)
		for i := 0; i < n; i++ {
			time.AfterFunc(time.Duration(uint64(i)*2654435761%20000)*time.Microsecond, fired.Done)
		}
		fired.Wait()
	})
}
