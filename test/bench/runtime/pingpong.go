// pingpong.go - pingpong.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

func main() {
	there, back := make(chan int), make(chan int)
	bench(500000, func(n int) {
		go func() {
			for i := 0; i < n; i++ {
				back <- <-there
			}
		}()
		for i := 0; i < n; i++ {
			there <- i
			<-back
		}
	})
}
