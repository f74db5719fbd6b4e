// workers.go - as workers.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "fmt"

const (
	workers = 8
	njobs   = 50000
	size    = 1 << 12
	length  = 200
)

type job struct{ start, sum uint32 }

var (
	table      [size]uint32
	jobs       [njobs]job
	todo, done chan *job
)

func worker() {
	for j := range todo {
		at := j.start
		for i := 0; i < length; i++ {
			at = table[at%size]
			j.sum += at
		}
		done <- j
	}
}

func produce() {
	for i := uint32(0); i < njobs; i++ {
		jobs[i].start = i * 7
		todo <- &jobs[i]
	}
	close(todo)
}

func main() {
	for i := uint32(0); i < size; i++ {
		table[i] = i * 2654435761 >> 8
	}
	todo, done = make(chan *job, workers), make(chan *job, workers)
	for i := 0; i < workers; i++ {
		go worker()
	}
	go produce()
	sum := uint32(0)
	for i := 0; i < njobs; i++ {
		sum += (<-done).sum
	}
	fmt.Printf("sum %d\n", sum)
}
