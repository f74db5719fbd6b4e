// forkjoin.go - as forkjoin.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"fmt"
	"sync"
)

const (
	n     = 1 << 20
	small = 256
)

var numbers, other [n]uint32

type part struct {
	a, scratch []uint32
	joined     *sync.WaitGroup
}

func insertionSort(a []uint32) {
	for i := 1; i < len(a); i++ {
		v := a[i]
		j := i
		for ; j > 0 && a[j-1] > v; j-- {
			a[j] = a[j-1]
		}
		a[j] = v
	}
}

func merge(a, b, out []uint32) {
	i, j, k := 0, 0, 0
	for i < len(a) && j < len(b) {
		if b[j] < a[i] {
			out[k] = b[j]
			j++
		} else {
			out[k] = a[i]
			i++
		}
		k++
	}
	for ; i < len(a); i++ {
		out[k] = a[i]
		k++
	}
	for ; j < len(b); j++ {
		out[k] = b[j]
		k++
	}
}

func mergeSort(p *part) {
	if len(p.a) <= small {
		insertionSort(p.a)
	} else {
		both := new(sync.WaitGroup)
		half := len(p.a) / 2
		lower := &part{p.a[:half], p.scratch[:half], both}
		upper := &part{p.a[half:], p.scratch[half:], both}
		both.Add(2)
		go mergeSort(lower)
		go mergeSort(upper)
		both.Wait()
		merge(p.a[:half], p.a[half:], p.scratch)
		for i := range p.a {
			p.a[i] = p.scratch[i]
		}
	}
	p.joined.Done()
}

func main() {
	seed, sum := uint32(1), uint32(0)
	for i := range numbers {
		seed = seed*1664525 + 1013904223
		numbers[i] = seed
	}
	all := new(sync.WaitGroup)
	all.Add(1)
	go mergeSort(&part{numbers[:], other[:], all})
	all.Wait()
	for _, v := range numbers {
		sum = sum*31 + v
	}
	fmt.Printf("sum %d\n", sum)
}
