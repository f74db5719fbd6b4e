// spawns.go - as spawns.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"sync"
)

const (
	rounds = 100
	atOnce = 1000
)

var (
	result [atOnce]uint32
	all    sync.WaitGroup
)

func run(i int) {
	result[i] += uint32(i)
	all.Done()
}

func main() {
	for round := 0; round < rounds; round++ {
		all.Add(atOnce)
		for i := 0; i < atOnce; i++ {
			go run(i)
		}
		all.Wait()
	}
	sum := uint32(0)
	for _, v := range result {
		sum += v
	}
	fmt.Printf("sum %d\n", sum)
}
