// timers.go - a timer started and stopped, while a million others are pending.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "time"

func never() { panic("never") }

func someTime(i int) time.Duration {
	return time.Minute + time.Duration(uint64(i)*2654435761%3600)*time.Second
}

var kept []*time.Timer

func main() {
	for i := 0; i < 1000000; i++ {
		kept = append(kept, time.AfterFunc(someTime(i), never))
	}
	bench(2000000, func(n int) {
		for i := 0; i < n; i++ {
			t := time.AfterFunc(someTime(i), never)
			t.Stop()
		}
	})
}
