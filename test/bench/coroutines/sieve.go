// sieve.go - as sieve.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "fmt"

const primes = 800

type stage struct {
	in, out chan int32
	prime   int32
}

func generate(out chan int32) {
	for i := int32(2); ; i++ {
		out <- i
	}
}

func filter(s *stage) {
	for {
		if v := <-s.in; v%s.prime != 0 {
			s.out <- v
		}
	}
}

var stages [primes]stage

func main() {
	in := make(chan int32)
	go generate(in)
	for i := range stages {
		s := &stages[i]
		s.in, s.out = in, make(chan int32)
		s.prime = <-in
		go filter(s)
		in = s.out
	}
	fmt.Printf("prime %d\n", stages[primes-1].prime)
}
