// pingpong.go - as pingpong.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "fmt"

const rounds = 300000

type ball struct{ hits, sum uint64 }

func player(there, back chan *ball) {
	for b := range there {
		b.hits++
		b.sum += b.hits
		back <- b
	}
}

func main() {
	b := &ball{}
	there, back := make(chan *ball), make(chan *ball)
	go player(there, back)
	for i := 0; i < rounds; i++ {
		b.hits++
		there <- b
		b = <-back
	}
	close(there)
	fmt.Printf("hits %d sum %d\n", b.hits, b.sum)
}
