// select2.go - select2.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

func main() {
	a, b := make(chan int), make(chan int)
	bench(1000000, func(n int) {
		go func() {
			for i := 0; i < n; i++ {
				if i%2 == 1 {
					a <- i
				} else {
					b <- i
				}
			}
		}()
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			}
		}
	})
}
