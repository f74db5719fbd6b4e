// parked.go - as parked.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"sync"
)

const coroutines = 100000

var (
	start        = make(chan struct{})
	waiting, all sync.WaitGroup
	result       [coroutines]uint32
)

func run(i int) {
	waiting.Done()
	<-start
	result[i] = uint32(i) * 3
	all.Done()
}

func main() {
	waiting.Add(coroutines)
	all.Add(coroutines)
	for i := 0; i < coroutines; i++ {
		go run(i)
	}
	waiting.Wait()
	close(start)
	all.Wait()
	sum := uint32(0)
	for _, v := range result {
		sum += v
	}
	fmt.Printf("sum %d\n", sum)
}
