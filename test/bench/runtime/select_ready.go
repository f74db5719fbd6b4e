// select_ready.go - select_ready.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

func main() {
	a, b := make(chan int, 1), make(chan int, 1)
	bench(2000000, func(n int) {
		for i := 0; i < n; i++ {
			if i%2 == 1 {
				a <- i
			} else {
				b <- i
			}
			select {
			case <-a:
			case <-b:
			}
		}
	})
}
