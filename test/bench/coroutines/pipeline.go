// pipeline.go - as pipeline.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "fmt"

const (
	stages  = 5
	blocks  = 100000
	numbers = 64
	room    = 16
)

type block struct{ number [numbers]uint32 }

var channels [stages + 1]chan *block

func stage(k int) {
	for b := range channels[k] {
		for i := 0; i < numbers; i++ {
			b.number[i] = b.number[i]*5 + uint32(k)
		}
		channels[k+1] <- b
	}
	close(channels[k+1])
}

func produce() {
	for n := uint32(0); n < blocks; n++ {
		b := new(block)
		for i := uint32(0); i < numbers; i++ {
			b.number[i] = n + i
		}
		channels[0] <- b
	}
	close(channels[0])
}

func main() {
	for k := range channels {
		channels[k] = make(chan *block, room)
	}
	go produce()
	for k := 0; k < stages; k++ {
		go stage(k)
	}
	sum := uint32(0)
	for b := range channels[stages] {
		for i := 0; i < numbers; i++ {
			sum = sum*31 + b.number[i]
		}
	}
	fmt.Printf("sum %d\n", sum)
}
