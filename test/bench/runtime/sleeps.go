// sleeps.go - a goroutine sleeps and wakes, a thousand at a time, while a million others sleep on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"sync"
	"time"
)

var kept []*time.Timer

func main() {
	for i := 0; i < 1000000; i++ {
		kept = append(kept, time.AfterFunc(time.Minute+time.Duration(i)*time.Microsecond, func() { panic("never") }))
	}
	bench(500000, func(n int) {
		var awake sync.WaitGroup
		awake.Add(1000)
		for i := 0; i < 1000; i++ {
			go func() {
				for k := 0; k < n/1000; k++ {
					time.Sleep(100 * time.Microsecond)
				}
				awake.Done()
			}()
		}
		awake.Wait()
	})
}
