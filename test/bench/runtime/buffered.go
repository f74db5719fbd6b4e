// buffered.go - buffered.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

func main() {
	c := make(chan int, 100)
	bench(3000000, func(n int) {
		go func() {
			for i := 0; i < n; i++ {
				c <- i
			}
		}()
		for i := 0; i < n; i++ {
			<-c
		}
	})
}
